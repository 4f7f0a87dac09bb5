/// Which attempt a log or a listing belongs to.
public struct AttemptKey: Sendable, Hashable {
    /// The job's folder: 32 lowercase hexadecimal digits.
    public var logUID: String
    /// From 0.
    public var element: Int
    /// From 1.
    public var attempt: Int

    public init(logUID: String, element: Int, attempt: Int) {
        self.logUID = logUID
        self.element = element
        self.attempt = attempt
    }

    /// What the names of the attempt's own files begin with.
    var stem: String { "element-\(element).attempt-\(attempt)" }
    var logName: String { stem + ".log" }
    var listingName: String { stem + ".listing.ndjson" }
    /// Its name in a bucket: each server writes its own.
    func listingName(ofServer server: Int) -> String { "\(stem).s\(server).listing.ndjson" }

    func validate() throws(LogError) {
        try Self.validate(logUID: logUID)
        guard element >= 0 else { throw .invalidKey("element \(element)") }
        guard attempt >= 1 else { throw .invalidKey("attempt \(attempt)") }
    }

    /// Only what this accepts ever becomes part of a path.
    static func validate(logUID: String) throws(LogError) {
        guard logUID.utf8.count == 32,
            logUID.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { throw .invalidKey("log_uid of \(logUID.utf8.count) bytes") }
    }

    /// A name as `Attempt.LogPlace` has it: one of ours, whatever its row says.
    static func validate(file: String) throws(LogError) {
        let isOurs = file.hasPrefix("attempts-") || file.hasPrefix("element-")
        let isKnown = file.hasSuffix(".log") || file.hasSuffix(".listing.ndjson")
        let isPlain = file.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x2E
        }
        guard isOurs, isPlain, isKnown, file.utf8.count <= 128 else {
            throw .invalidKey("log file name")
        }
    }
}
