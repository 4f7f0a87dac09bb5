import Foundation

/// How much a server takes at a time (`limits@openssh.com`). Without that extension: what the draft says every server
/// must take.
struct SFTPLimits: Hashable, Sendable {
    /// Bytes of one READ and of one WRITE.
    var read = 32 << 10
    var write = 32 << 10

    init() {}

    /// Reads the extension's reply: packet, read, write, open handles; 0 says nothing.
    init(_ body: Data) throws {
        var reader = SFTPFieldReader(body)
        _ = try reader.uint64()
        read = Self.bounded(try reader.uint64(), usual: read)
        write = Self.bounded(try reader.uint64(), usual: write)
    }

    /// Bytes that one pass of data from here to there moves at a time.
    var chunk: Int { min(read, write) }

    /// No packet is longer than 256 KiB, whatever a server says; none so small that it would never end.
    private static func bounded(_ value: UInt64, usual: Int) -> Int {
        value == 0 ? usual : min(max(Int(clamping: value), 1 << 10), 255 << 10)
    }
}
