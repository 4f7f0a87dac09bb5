public import HaulModel

/// `GET /jobs/J/status`.
public struct JobStatusDocument: Sendable, Hashable, Codable {
    public var jobID: Int
    public var status: String

    public init(jobID: Int, status: Status) {
        self.jobID = jobID
        self.status = status.name
    }

    private enum CodingKeys: String, CodingKey {
        case jobID = "jobid"
        case status
    }
}

/// `GET /jobs?count=1`.
public struct JobCountDocument: Sendable, Hashable, Codable {
    /// Jobs that are counted at most.
    public static let most = 100_000

    public var count: Int
    /// False where there are more.
    public var complete: Bool

    /// - Parameter count: of more than ``most``, one more than that.
    public init(_ count: Int) {
        self.count = min(count, Self.most)
        complete = count <= Self.most
    }
}

/// `GET /jobs/J/elements/E/status`. What moved is `"N/A"` before the first progress.
public struct ElementStatusDocument: Sendable, Hashable, Codable {
    public var jobID: Int
    public var elementID: Int
    public var status: String
    public var attempts: Int
    /// Bytes.
    public var transferred: Measured
    /// Bytes/s lately.
    public var instant: Measured
    /// Bytes/s overall.
    public var average: Measured
    /// Seconds.
    public var elapsed: Measured

    public init(_ element: Element, progress: Attempt.Progress?) {
        jobID = element.jobID
        elementID = element.id
        status = element.status.name
        attempts = element.attempts
        transferred = Measured(progress.map { Double($0.transferred) })
        instant = Measured(progress?.instant)
        average = Measured(progress?.average)
        elapsed = Measured(progress?.elapsed)
    }

    private enum CodingKeys: String, CodingKey {
        case status, attempts, transferred, instant, average, elapsed
        case jobID = "jobid"
        case elementID = "elementid"
    }

    /// A number, or `"N/A"`.
    public struct Measured: Sendable, Hashable, Codable {
        public var value: Double?

        public init(_ value: Double?) { self.value = value }

        public init(from decoder: any Decoder) throws {
            value = try? decoder.singleValueContainer().decode(Double.self)
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            if let value {
                if let whole = Int(exactly: value) { try container.encode(whole) } else { try container.encode(value) }
            } else {
                try container.encode("N/A")
            }
        }
    }
}

extension JobStatusDocument: Documented {
    public static let schema = Schema.object("JobStatus", ["jobid": .count, "status": .status])
}

extension JobCountDocument: Documented {
    public static let schema = Schema.object(
        "JobCount", ["count": .integer(0...most), "complete": .flag.about("false: there are more")])
}

extension ElementStatusDocument: Documented {
    public static let schema = Schema.object(
        "ElementStatus",
        [
            "jobid": .count, "elementid": .count, "status": .status, "attempts": .count,
            "transferred": measured.about("Bytes"), "instant": measured.about("Bytes/s of late"),
            "average": measured.about("Bytes/s overall"), "elapsed": measured.about("Seconds"),
        ])

    private static let measured = Schema.any(of: [.number, .one(of: ["N/A"])])
}
