/// One attempt's output (`GET .../output`). The server writes `log` and `listing` from disk as they are; a client that
/// wants a listing as a value reads it here.
public struct OutputDocument: Sendable, Hashable, Codable {
    public var jobID: Int
    public var elementID: Int
    public var attempt: Int
    public var type: String
    public var status: String
    public var log: String
    /// Names by directory, directories with a final slash; LIST only, and only where the attempt found one.
    public var listing: [String: [String]]?

    private enum CodingKeys: String, CodingKey {
        case attempt, type, status, log, listing
        case jobID = "jobid"
        case elementID = "elementid"
    }
}

extension OutputDocument: Documented {
    public static let schema = Schema.object(
        "Output",
        [
            "jobid": .count, "elementid": .count, "attempt": .count, "type": .jobType, "status": .status, "log": .text,
            "listing?": listings,
        ])

    /// By directory: names, those of directories with a final slash, or with `listing=long` what else is known of them.
    static let listings = Schema.map(
        of: .list(
            of: .any(of: [
                .text,
                .object([
                    "name": .text, "type": .text, "size": .count.about("Bytes"), "mode": .count,
                    "mtime": .integer.about("Seconds since 1970"),
                ]),
            ])))
}
