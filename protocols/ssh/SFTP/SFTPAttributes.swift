import Foundation
import HaulModel
import HaulProtocol

/// A file's attributes; each is nil where it was not sent.
struct SFTPAttributes: Hashable, Sendable {
    private enum Flag {
        static let size: UInt32 = 1
        static let owner: UInt32 = 2
        static let permissions: UInt32 = 4
        static let times: UInt32 = 8
        static let extended: UInt32 = 0x8000_0000
    }

    var size: UInt64?
    /// The POSIX mode with its type bits.
    var permissions: UInt32?
    /// Seconds since 1970, unsigned: until 2106.
    var accessed: UInt32?
    var modified: UInt32?

    init(size: UInt64? = nil, permissions: UInt32? = nil, modified: UInt32? = nil) {
        self.size = size
        self.permissions = permissions
        self.modified = modified
        accessed = modified
    }

    init(_ reader: inout SFTPFieldReader) throws {
        let flags = try reader.uint32()
        if flags & Flag.size != 0 { size = try reader.uint64() }
        if flags & Flag.owner != 0 { _ = (try reader.uint32(), try reader.uint32()) }
        if flags & Flag.permissions != 0 { permissions = try reader.uint32() }
        if flags & Flag.times != 0 { (accessed, modified) = (try reader.uint32(), try reader.uint32()) }
        if flags & Flag.extended != 0 {
            // A count is only a claim: each turn takes at least eight bytes of the packet, or ends it.
            for _ in 0..<(try reader.uint32()) { _ = (try reader.string(), try reader.string()) }
        }
    }

    func write(to writer: inout SFTPFieldWriter) {
        var flags: UInt32 = 0
        if size != nil { flags |= Flag.size }
        if permissions != nil { flags |= Flag.permissions }
        if modified != nil { flags |= Flag.times }
        writer.add(flags)
        if let size { writer.add(size) }
        if let permissions { writer.add(permissions) }
        if let modified {
            writer.add(accessed ?? modified)
            writer.add(modified)
        }
    }

    /// As the plans of the kit want it; nil where the server did not even say what kind of thing it is.
    var facts: FileFacts? {
        guard let permissions else { return nil }
        return FileFacts(
            kind: entry(named: "").kind, size: Int(clamping: size ?? 0), modified: modified.map(Int.init),
            permissions: Int(permissions & 0o7777))
    }

    func entry(named name: String) -> ListingEntry {
        ListingEntry(
            name: name, size: Int(clamping: size ?? 0), mode: Int((permissions ?? 0) & 0o177777),
            modified: Int(modified ?? 0))
    }
}
