public import HaulModel

/// An element as users read it (`GET /jobs/J/elements`, `GET /jobs/J/elements/E`), but for its listing, which the server
/// streams behind the other fields as `"listing": [{"dir": ["file", "sub/"]}]`.
public struct ElementDocument: Sendable, Hashable, Codable {
    public var id: Int
    public var jobID: Int
    public var sourcePath: String
    /// COPY and RENAME only.
    public var destinationPath: String?
    /// Bytes; 0 until known.
    public var size: Int
    public var maxTries: Int
    /// Attempts that ended.
    public var attempts: Int
    public var type: String
    public var status: String
    /// Last change: UTC, milliseconds, `Z`.
    public var timestamp: String
    /// Why it failed; left out where it did not.
    public var errorClass: String?
    public var reason: String?

    public init(_ element: Element) {
        id = element.id
        jobID = element.jobID
        sourcePath = element.sourcePath
        destinationPath = element.destinationPath
        size = element.size
        maxTries = element.maxTries
        attempts = element.attempts
        type = element.type.name
        status = element.status.name
        timestamp = element.changed.text
        errorClass = element.errorClass?.rawValue
        reason = element.reason
    }

    private enum CodingKeys: String, CodingKey {
        case id, size, attempts, type, status, timestamp, reason
        case jobID = "job_id"
        case sourcePath = "src_filepath"
        case destinationPath = "dst_filepath"
        case maxTries = "max_tries"
        case errorClass = "error_class"
    }
}

extension ElementDocument: Documented {
    public static let schema = Schema.object(
        "Element",
        [
            "id": .count, "job_id": .count, "src_filepath": .text, "dst_filepath?": .text,
            "size": .count.about("Bytes; 0 until known"), "max_tries": .count,
            "attempts": .count.about("Attempts that ended"), "type": .jobType, "status": .status,
            "timestamp": .time.about("Of the last change"), "error_class?": .text, "reason?": .text,
            "listing?": .list(of: OutputDocument.listings).about("What a LIST found, once it is DONE"),
        ])
}
