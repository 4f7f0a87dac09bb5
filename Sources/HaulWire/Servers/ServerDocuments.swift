/// The paths by which the servers of a database ask each other.
public enum ServerPath {
    /// Every one stands below it.
    public static let root = "/servers/v1"
    public static let reports = "/reports"
    public static let losses = "/losses"

    /// - Parameter stream: `log` or `listing`.
    public static func pieces(job: Int, element: Int, attempt: Int, stream: String) -> String {
        "/attempts/\(job)/\(element)/\(attempt)/\(stream)"
    }

    public static func file(_ name: String, job logUID: String) -> String { "/files/\(logUID)/\(name)" }
}

/// Outcomes that a server hands on: those of `POST /worker/results`, as the server that got them read them.
public struct HandedOnReports: Codable, Sendable {
    public struct Item: Codable, Sendable {
        public var job: Int
        public var element: Int
        public var token: String
        public var returnCode: Int
        public var host: String
        public var log: String
        /// NDJSON.
        public var listing: String?
        public var errorClass: String?
        /// The site at which it failed, where that is known.
        public var errorSite: Int?
        public var reason: String?
        public var checksum: String?
        public var transferred: Int?
        /// By which the same report is known again.
        public var hash: [UInt8]

        public init(
            job: Int, element: Int, token: String, returnCode: Int, host: String, log: String, listing: String?,
            errorClass: String?, errorSite: Int?, reason: String?, checksum: String?, transferred: Int?, hash: [UInt8]
        ) {
            self.job = job
            self.element = element
            self.token = token
            self.returnCode = returnCode
            self.host = host
            self.log = log
            self.listing = listing
            self.errorClass = errorClass
            self.errorSite = errorSite
            self.reason = reason
            self.checksum = checksum
            self.transferred = transferred
            self.hash = hash
        }
    }

    public var reports: [Item]

    public init(reports: [Item]) { self.reports = reports }
}

/// What became of them, in order.
public struct HandedOnVerdicts: Codable, Sendable {
    public struct Item: Codable, Sendable {
        /// `accepted`, `repeated` or `refused`.
        public var verdict: String
        /// Why it was refused.
        public var problem: ProblemDocument?

        public init(verdict: String, problem: ProblemDocument? = nil) {
            self.verdict = verdict
            self.problem = problem
        }
    }

    public var verdicts: [Item]

    public init(verdicts: [Item]) { self.verdicts = verdicts }
}

/// Attempts whose leases are worth nothing any more, which their workers do not have, or which were taken back.
public struct HandedOnLosses: Codable, Sendable {
    /// `JOB.ELEMENT.ATTEMPT`.
    public var attempts: [String]
    public var reason: String
    /// Their session lives: its worker said that it has none of them, or they were taken back.
    public var unheld: Bool
    /// Their user took them back.
    public var revoked: Bool?

    public init(attempts: [String], reason: String, unheld: Bool, revoked: Bool? = nil) {
        self.attempts = attempts
        self.reason = reason
        self.unheld = unheld
        self.revoked = revoked
    }
}

/// How long a file is; nil where there is none.
public struct FileLength: Codable, Sendable {
    public var length: Int?

    public init(length: Int?) { self.length = length }
}
