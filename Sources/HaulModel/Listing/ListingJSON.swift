/// Turns successive lines of a listing into the documented JSON object, piece after piece: short
/// `{"dir": ["file", "sub/"], "dir/sub": []}`, long with entries as `{"name", "type", "size", "mode", "mtime"}` (bytes;
/// seconds since 1970). All lines of a directory stand together, as `LogStore.finishListing` makes sure.
public struct ListingJSON: Sendable {
    public enum Form: Sendable, Hashable {
        case short, long
    }

    private let form: Form
    private var directory: String?
    private var hasEntries = false

    public init(form: Form) { self.form = form }

    public mutating func encode(_ lines: [ListingLine]) -> [UInt8] {
        var output: [UInt8] = []
        for line in lines {
            if directory.map({ !TransferPath.same($0, line.directory) }) ?? true {
                output += Array((directory == nil ? "{" : "],").utf8)
                ListingLineCodec.append(line.directory, to: &output)
                output += Array(":[".utf8)
                directory = line.directory
                hasEntries = false
            }
            guard let entry = line.entry else { continue }
            if hasEntries { output.append(UInt8(ascii: ",")) }
            hasEntries = true
            append(entry, to: &output)
        }
        return output
    }

    /// What ends the object; an empty one where no line came.
    public mutating func finish() -> [UInt8] {
        defer { directory = nil }
        return Array((directory == nil ? "{}" : "]}").utf8)
    }

    private func append(_ entry: ListingEntry, to output: inout [UInt8]) {
        switch form {
        case .short:
            ListingLineCodec.append(entry.displayName, to: &output)
        case .long:
            output += Array("{\"name\":".utf8)
            ListingLineCodec.append(entry.name, to: &output)
            output += Array(
                (",\"type\":\"\(entry.kind.rawValue)\",\"size\":\(entry.size),\"mode\":\(entry.mode),"
                    + "\"mtime\":\(entry.modified)}").utf8)
        }
    }
}
