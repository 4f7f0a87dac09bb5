/// The end of an attempt, as `PUT /worker/jobs/J/elements/E` and `POST /worker/results` take it from haul's own worker.
/// The server itself reads the looser form of the documented system.
public struct OutcomeDocument: Sendable, Codable {
    /// 0 is success.
    public var returncode: Int
    public var host: String
    /// Left out when it went up in pieces.
    public var log: String?
    /// When the attempt ended: UTC, milliseconds, `Z`.
    public var timestamp: String
    public var errorClass: String?
    /// The id of the site at which it failed, where that is known of a COPY between two.
    public var errorSite: Int?
    /// One line for people: why it failed.
    public var reason: String?
    /// `ALGORITHM:HEX`.
    public var checksum: String?
    /// Bytes.
    public var transferred: Int?

    public init(
        returncode: Int, host: String, log: String?, timestamp: String, errorClass: String? = nil,
        errorSite: Int? = nil, reason: String? = nil, checksum: String? = nil, transferred: Int? = nil
    ) {
        self.returncode = returncode
        self.host = host
        self.log = log
        self.timestamp = timestamp
        self.errorClass = errorClass
        self.errorSite = errorSite
        self.reason = reason
        self.checksum = checksum
        self.transferred = transferred
    }

    private enum CodingKeys: String, CodingKey {
        case returncode, host, log, timestamp, reason, checksum, transferred
        case errorClass = "error_class"
        case errorSite = "error_site"
    }
}

/// `POST /worker/results`: up to 1,000 outcomes, `{"results": [...]}`.
public struct ResultsRequest: Sendable, Codable {
    public var results: [Item]

    public init(results: [Item]) { self.results = results }

    /// Which attempt ended, the proof of its lease, and how it ended.
    public struct Item: Sendable, Codable {
        public var jobID: Int
        public var elementID: Int
        public var token: String
        public var outcome: OutcomeDocument

        public init(jobID: Int, elementID: Int, token: String, outcome: OutcomeDocument) {
            self.jobID = jobID
            self.elementID = elementID
            self.token = token
            self.outcome = outcome
        }

        private enum CodingKeys: String, CodingKey {
            case token
            case jobID = "job_id"
            case elementID = "element_id"
        }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            jobID = try container.decode(Int.self, forKey: .jobID)
            elementID = try container.decode(Int.self, forKey: .elementID)
            token = try container.decode(String.self, forKey: .token)
            outcome = try OutcomeDocument(from: decoder)
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(jobID, forKey: .jobID)
            try container.encode(elementID, forKey: .elementID)
            try container.encode(token, forKey: .token)
            try outcome.encode(to: encoder)
        }
    }
}

/// The answer to `POST /worker/results`: an HTTP status for each outcome, in order; 409 where the lease had ended.
public struct ResultsReply: Sendable, Codable {
    public var results: [Item]

    public init(results: [Item]) { self.results = results }

    public struct Item: Sendable, Codable {
        public var status: Int
        /// What was wrong, where something was.
        public var detail: String?

        public init(status: Int, detail: String? = nil) {
            self.status = status
            self.detail = detail
        }
    }
}

/// `PUT /worker/jobs/J/elements/E/monitoring`: marks the element RUNNING.
public struct ProgressDocument: Sendable, Codable {
    /// Bytes; -1 means the element's size.
    public var transferred: Int
    /// Seconds.
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
}

/// The answer to progress.
public struct ProgressReply: Sendable, Hashable, Codable {
    /// Somebody waits for it: it is to be told several times a second.
    public var watched: Bool?

    public init(watched: Bool) { self.watched = watched ? true : nil }
}

/// The answer to a piece of a log or listing: how much the server has.
public struct OffsetDocument: Sendable, Codable {
    /// Bytes.
    public var offset: Int

    public init(offset: Int) { self.offset = offset }
}

extension ResultsReply: Documented {
    public static let schema = Schema.object(
        "ResultsReply", ["results": .list(of: .object(["status": .integer(200...599), "detail?": .text]))])
}

extension ProgressReply: Documented {
    public static let schema = Schema.object(
        "ProgressReply", ["watched?": .flag.about("Somebody waits for it: it is to be told several times a second")])
}

extension OffsetDocument: Documented {
    public static let schema = Schema.object("Offset", ["offset": .count.about("Bytes that the server has")])
}
