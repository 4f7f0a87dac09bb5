/// One try at one element, by one worker, under one lease.
public struct Attempt: Sendable, Hashable {
    public var jobID: Int
    public var elementID: Int
    /// From 1.
    public var number: Int
    /// The session whose lease it runs under.
    public var sessionID: Int
    /// The name of the worker.
    public var worker: String
    public var started: Timestamp
    /// Nil while it runs.
    public var ended: Timestamp?
    /// Nil while it runs; then `done`, `failed` or `cancelled`.
    public var status: Status?
    public var errorClass: ErrorClass?
    public var reason: String?
    public var returnCode: Int?
    public var progress: Progress?
    /// `ALGORITHM:HEX` where the backend computed one.
    public var checksum: String?
    /// Where its log is; nil while it runs.
    public var log: LogPlace?
    /// Bytes of its listing file; nil where it has none.
    public var listingLength: Int?
    /// The server that took what there is of its log and listing; nil while there is nothing.
    public var server: Int?

    public init(
        jobID: Int, elementID: Int, number: Int, sessionID: Int, worker: String, started: Timestamp,
        ended: Timestamp? = nil, status: Status? = nil, errorClass: ErrorClass? = nil, reason: String? = nil,
        returnCode: Int? = nil, progress: Progress? = nil, checksum: String? = nil, log: LogPlace? = nil,
        listingLength: Int? = nil, server: Int? = nil
    ) {
        self.jobID = jobID
        self.elementID = elementID
        self.number = number
        self.sessionID = sessionID
        self.worker = worker
        self.started = started
        self.ended = ended
        self.status = status
        self.errorClass = errorClass
        self.reason = reason
        self.returnCode = returnCode
        self.progress = progress
        self.checksum = checksum
        self.log = log
        self.listingLength = listingLength
        self.server = server
    }

    /// It was handed out to one who is no worker: `worker` is the user's name, and it has no log.
    public var isPopped: Bool { sessionID == 0 }

    /// What moved so far.
    public struct Progress: Sendable, Hashable {
        /// Bytes.
        public var transferred: Int
        /// Seconds since the transfer began.
        public var elapsed: Double
        /// Bytes/s lately.
        public var instant: Double
        /// Bytes/s overall.
        public var average: Double

        public init(transferred: Int, elapsed: Double, instant: Double, average: Double) {
            self.transferred = transferred
            self.elapsed = elapsed
            self.instant = instant
            self.average = average
        }

        /// What two attempts moved, and the longer of their times. Workers say what they like: what is too large for a
        /// number stays the largest that there is.
        public func together(with other: Progress) -> Progress {
            func sum(_ one: Double, _ two: Double) -> Double {
                min(max(one + two, -Double.greatestFiniteMagnitude), Double.greatestFiniteMagnitude)
            }
            let (bytes, isTooLarge) = transferred.addingReportingOverflow(other.transferred)
            return Progress(
                transferred: isTooLarge ? Int.max : bytes, elapsed: max(elapsed, other.elapsed),
                instant: sum(instant, other.instant), average: sum(average, other.average))
        }
    }

    /// A piece of a file in the job's log folder.
    public struct LogPlace: Sendable, Hashable {
        public var file: String
        /// Bytes from the file's start, after the header line.
        public var offset: Int
        /// Bytes.
        public var length: Int

        public init(file: String, offset: Int, length: Int) {
            self.file = file
            self.offset = offset
            self.length = length
        }
    }
}
