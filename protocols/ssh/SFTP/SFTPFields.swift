import Foundation

/// What the other side sent is no SFTP (draft-ietf-secsh-filexfer-02): truncated, oversized, or an answer to nothing.
struct SFTPViolation: Error, Hashable, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Writes the fields of one packet: big-endian integers and counted strings.
struct SFTPFieldWriter {
    private(set) var bytes = Data()

    mutating func add(_ value: UInt8) { bytes.append(value) }

    mutating func add(_ value: UInt32) { withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) } }

    mutating func add(_ value: UInt64) { withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) } }

    mutating func add(_ value: String) {
        add(UInt32(clamping: value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    mutating func add(_ value: Data) {
        add(UInt32(clamping: value.count))
        bytes.append(value)
    }
}

/// Reads the fields of one packet; every length is checked against what is there.
struct SFTPFieldReader {
    private var rest: Data

    init(_ bytes: Data) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() throws -> UInt8 {
        guard let value = rest.popFirst() else { throw SFTPViolation("a packet ends in the middle of a field") }
        return value
    }

    mutating func uint32() throws -> UInt32 { try take(4).reduce(0) { $0 << 8 | UInt32($1) } }

    mutating func uint64() throws -> UInt64 { try take(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// A counted string, as bytes: names and handles are not text.
    mutating func string() throws -> Data { try take(Int(try uint32())) }

    /// All that is left.
    mutating func remainder() -> Data {
        defer { rest = Data() }
        return rest
    }

    private mutating func take(_ count: Int) throws -> Data {
        guard count <= rest.count else { throw SFTPViolation("a field of \(count) bytes in \(rest.count)") }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }
}
