public import HaulModel

/// Turns the lines of a listing piece by piece into the documented object: names by directory, directories with a
/// slash (`{"dir": ["file", "sub/"], "dir/sub": []}`), or in the long form entries as objects.
public struct ListingJSON: Sendable {
    public enum Form: Sendable {
        /// Names.
        case short
        /// `{"name", "type", "size", "mode", "mtime"}`: bytes, the POSIX mode, seconds since 1970.
        case long
    }

    private let form: Form
    private var directory: String?
    private var isFirstEntry = true

    public init(form: Form) { self.form = form }

    public mutating func encode(_ lines: [ListingLine]) -> [UInt8] {
        var result: [UInt8] = []
        for line in lines {
            let isSame = directory.map { TransferPath.same($0, line.directory) } ?? false
            if !isSame {
                result += Array((directory == nil ? "{" : "],").utf8) + Self.string(line.directory) + Array(":[".utf8)
                directory = line.directory
                isFirstEntry = true
            }
            guard let entry = line.entry else { continue }
            if !isFirstEntry { result.append(UInt8(ascii: ",")) }
            isFirstEntry = false
            result += form == .short ? Self.string(entry.displayName) : Self.object(entry)
        }
        return result
    }

    public mutating func finish() -> [UInt8] {
        defer { directory = nil }
        return Array((directory == nil ? "{}" : "]}").utf8)
    }

    private static func object(_ entry: ListingEntry) -> [UInt8] {
        let rest =
            ",\"type\":\"\(entry.kind.rawValue)\",\"size\":\(entry.size),\"mode\":\(entry.mode),\"mtime\":\(entry.modified)}"
        return Array("{\"name\":".utf8) + string(entry.name) + Array(rest.utf8)
    }

    private static func string(_ text: String) -> [UInt8] {
        var encoder = JSONStringEncoder()
        return [UInt8(ascii: "\"")] + encoder.encode(Array(text.utf8)) + encoder.finish() + [UInt8(ascii: "\"")]
    }
}
