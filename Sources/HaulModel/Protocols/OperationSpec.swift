/// What a manifest says of one operation: `{"timeout": 3600, "batch": 256, "resume": true}`. Every key may be missing.
public struct OperationSpec: Sendable, Hashable, Codable {
    /// Seconds that one element may go without progress; 120 where the manifest does not say.
    public var timeout: Int
    /// The most elements that one backend process is given; 256 where the manifest does not say.
    public var batch: Int
    /// The most elements that a backend works on at a time; 4 where the manifest does not say. A backend that
    /// takes one after the other says 1: each element's time runs from when it was sent.
    public var concurrency: Int
    /// True where the data of a copy goes from site to site without passing the worker.
    public var thirdParty: Bool
    /// True where a later attempt goes on from the part file of an earlier one.
    public var resume: Bool
    /// True where the other end of a `get` or `put` may be a pipe to a backend of another protocol.
    public var stream: Bool
    /// The checksums that `verify` = `checksum` can use, the preferred one first (`md5`, `sha256`, `adler32` ...).
    public var checksums: [String]

    public init(
        timeout: Int = 120, batch: Int = 256, concurrency: Int = 4, thirdParty: Bool = false, resume: Bool = false,
        stream: Bool = false, checksums: [String] = []
    ) {
        self.timeout = timeout
        self.batch = batch
        self.concurrency = concurrency
        self.thirdParty = thirdParty
        self.resume = resume
        self.stream = stream
        self.checksums = checksums
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case timeout, batch, concurrency
        case thirdParty = "third_party"
        case resume, stream, checksums
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let usual = OperationSpec()
        timeout = try container.decodeIfPresent(Int.self, forKey: .timeout) ?? usual.timeout
        batch = try container.decodeIfPresent(Int.self, forKey: .batch) ?? usual.batch
        concurrency = try container.decodeIfPresent(Int.self, forKey: .concurrency) ?? usual.concurrency
        thirdParty = try container.decodeIfPresent(Bool.self, forKey: .thirdParty) ?? usual.thirdParty
        resume = try container.decodeIfPresent(Bool.self, forKey: .resume) ?? usual.resume
        stream = try container.decodeIfPresent(Bool.self, forKey: .stream) ?? usual.stream
        checksums = try container.decodeIfPresent([String].self, forKey: .checksums) ?? usual.checksums
    }
}
