extension ListingLine {
    /// The lines of a listing that came as one document: `{"dir": [entry, ...], ...}`, or a list of such objects. An
    /// entry is an object with the keys of ``ListingEntry``, or a plain name, a directory's with a final slash.
    ///
    /// - Returns: nil for anything else. Directories are in the order of their names, so that each comes after its parent.
    public static func lines(fromDocument value: JSONValue) -> [ListingLine]? {
        // By bytes: to Swift's String two spellings of a name are one key.
        var directories: [[UInt8]: [ListingEntry]] = [:]
        for object in value.array ?? [value] {
            guard let object = object.object else { return nil }
            for (directory, entries) in object {
                guard let entries = entries.array else { return nil }
                for entry in entries {
                    guard let entry = ListingEntry(document: entry) else { return nil }
                    directories[Array(directory.utf8), default: []].append(entry)
                }
                if entries.isEmpty { directories[Array(directory.utf8), default: []] += [] }
            }
        }
        return directories.sorted { $0.key.lexicographicallyPrecedes($1.key) }.flatMap { bytes, entries in
            let directory = String(decoding: bytes, as: UTF8.self)
            return entries.isEmpty
                ? [ListingLine(directory: directory, entry: nil)]
                : entries.map { ListingLine(directory: directory, entry: $0) }
        }
    }
}

extension ListingEntry {
    /// An entry of a listing's document; nil for what is none.
    init?(document value: JSONValue) {
        switch value {
        case .string(let text):
            let isDirectory = text.utf8.count > 1 && text.utf8.last == UInt8(ascii: "/")
            self.init(name: isDirectory ? TransferPath.trimmed(text) : text, kind: isDirectory ? .directory : .file)
        case .object(let fields):
            guard let text = fields["name"]?.string, let plain = ListingEntry(document: .string(text)) else {
                return nil
            }
            self.init(
                name: plain.name, size: max(0, fields["st_size"]?.int ?? 0), mode: fields["st_mode"]?.int ?? plain.mode,
                modified: fields["st_mtime"]?.whole ?? 0)
        default: return nil
        }
        guard TransferPath.isName(name) else { return nil }
    }
}

extension JSONValue {
    /// A number's whole part, where it fits.
    fileprivate var whole: Int? {
        switch self {
        case .int(let value): value
        case .double(let value): value.isFinite ? Int(exactly: value.rounded(.down)) : nil
        default: nil
        }
    }
}
