/// One directory entry of a listing, with the keys of the wire (`st_size`, `st_mode`, `st_mtime`).
public struct ListingEntry: Sendable, Hashable, Codable {
    /// What kind of thing the entry is.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case file, directory, link, other
    }

    /// The entry's own name, without a slash.
    public var name: String
    /// Bytes; 0 for what has no size.
    public var size: Int
    /// The POSIX mode with its file type bits, as `stat(2)` gives it.
    public var mode: Int
    /// Seconds since 1970 (UTC); 0 where the site does not say.
    public var modified: Int

    public init(name: String, size: Int, mode: Int, modified: Int) {
        self.name = name
        self.size = size
        self.mode = mode
        self.modified = modified
    }

    /// An entry of which only the kind is known.
    public init(name: String, kind: Kind, size: Int = 0, permissions: Int? = nil, modified: Int = 0) {
        self.init(
            name: name, size: size, mode: kind.typeBits | (permissions ?? kind.usualPermissions), modified: modified)
    }

    public var kind: Kind {
        switch mode & 0o170000 {
        case 0o040000: .directory
        case 0o100000, 0: .file
        case 0o120000: .link
        default: .other
        }
    }

    /// The name as a short listing shows it: a directory ends with a slash.
    public var displayName: String { kind == .directory ? name + "/" : name }

    private enum CodingKeys: String, CodingKey {
        case name
        case size = "st_size"
        case mode = "st_mode"
        case modified = "st_mtime"
    }

    /// Size, mode and time may be missing; a time may have a fraction.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try container.decode(String.self, forKey: .name),
            size: max(0, try container.decodeIfPresent(Int.self, forKey: .size) ?? 0),
            mode: try container.decodeIfPresent(Int.self, forKey: .mode)
                ?? Kind.file.typeBits | Kind.file.usualPermissions,
            modified: Self.seconds(try? container.decodeIfPresent(Double.self, forKey: .modified)))
    }

    /// A time that a client sent, whatever number it is, as whole seconds.
    private static func seconds(_ value: Double?) -> Int {
        guard let value, value.isFinite else { return 0 }
        return Int(exactly: value.rounded(.down)) ?? 0
    }
}

extension ListingEntry.Kind {
    var typeBits: Int {
        switch self {
        case .file: 0o100000
        case .directory: 0o040000
        case .link: 0o120000
        case .other: 0o010000
        }
    }

    var usualPermissions: Int { self == .directory ? 0o755 : 0o644 }
}
