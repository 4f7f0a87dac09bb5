public import HaulModel

/// An entry of a listing (`GET /jobs/J/elements/E/listing`).
public struct FoundEntryDocument: Sendable, JSONWritable {
    public var path: String
    public var entry: ListingEntry

    public init(path: String, _ entry: ListingEntry) {
        self.path = path
        self.entry = entry
    }

    public func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("path")
            writer.value(path)
            writer.key("type")
            writer.value(entry.kind.rawValue)
            writer.key("size")
            writer.value(entry.size)
            writer.key("mode")
            writer.value(entry.mode)
            writer.key("mtime")
            writer.value(entry.modified)
        }
    }
}

extension FoundEntryDocument: Documented {
    public static let schema = Schema.object(
        "FoundEntry",
        [
            "path": .text, "type": .one(of: ListingEntry.Kind.allCases.map(\.rawValue)),
            "size": Schema.integer.about("Bytes"), "mode": Schema.integer.about("As stat(2) has it"),
            "mtime": Schema.integer.about("Seconds since 1970; 0 where the site does not say"),
        ])
}
