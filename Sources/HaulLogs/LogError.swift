/// Why a log or a listing could not be kept or served.
public enum LogError: Error, Sendable, Hashable {
    /// The root folder cannot be used; the text says which and why, in one line.
    case unusableRoot(String)
    /// A log_uid, element, attempt, depth or file name that this package never gave out; says which.
    case invalidKey(String)
    /// No such file, or it is shorter than the place that was asked for; names the file without its folder.
    case missing(String)
    /// A piece that does not continue what is there: its sender should go on from `have` bytes.
    case wrongOffset(have: Int)
    /// More than the limit (bytes) allows; nothing was written.
    case tooLarge(limit: Int)
    /// A listing that breaks its form; lines count from 1.
    case invalidListing(line: Int, why: String)
    /// Too much waits to be written (`LogLimits.pendingBytes`): try again later.
    case busy
    /// The disk or the quota is full. Nothing that was acknowledged is touched.
    case full
    /// The spool is full of what waits for the bucket: try again later. Nothing was kept.
    case spoolFull
    /// The bucket, or the server that has it, can't be reached or fails: try again later. The text is for the server's own
    /// log.
    case away(String)
    /// The system refused; the text is for the server's own log.
    case io(String)
    /// The system could not make data durable. What it holds is unknown from here on, and asking again would answer
    /// with a false success (fsync(2)): the server has to end its process.
    case fsyncFailed(String)
}

extension LogError {
    /// What was asked for is gone or broken: asking again would find the same.
    public var isLoss: Bool {
        switch self {
        case .missing, .invalidListing, .invalidKey: true
        default: false
        }
    }
}

extension LogError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unusableRoot(let text): text
        case .invalidKey(let what): "not a key of the log folder: \(what)"
        case .missing(let file): "log file \(file) is missing or shorter than its place says"
        case .wrongOffset(let have): "the piece does not continue what is there: \(have) bytes are"
        case .tooLarge(let limit): "more than \(limit) bytes"
        case .invalidListing(let line, let why): "line \(line) of the listing \(why)"
        case .busy: "too many logs wait to be written"
        case .full: "no space left for logs"
        case .spoolFull: "the spool is full of logs that wait for the bucket"
        case .away(let text): "logs are out of reach: \(text)"
        case .io(let text): "the log folder failed: \(text)"
        case .fsyncFailed(let text): "logs could not be made durable: \(text)"
        }
    }
}
