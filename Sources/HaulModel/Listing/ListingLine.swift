/// One line of a listing's NDJSON form: an entry with its directory, or a directory alone when it is empty.
///
/// A listing names a directory as its LIST's source path with what is below it appended (`~/data/sub`); the listing of a
/// single file names the file's parent. All lines of a directory stand together.
public struct ListingLine: Sendable, Hashable, Codable {
    public var directory: String
    public var entry: ListingEntry?

    public init(directory: String, entry: ListingEntry?) {
        self.directory = directory
        self.entry = entry
    }

    private enum CodingKeys: String, CodingKey {
        case directory = "dir"
        case name
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        directory = try container.decode(String.self, forKey: .directory)
        entry = container.contains(.name) ? try ListingEntry(from: decoder) : nil
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(directory, forKey: .directory)
        try entry?.encode(to: encoder)
    }
}
