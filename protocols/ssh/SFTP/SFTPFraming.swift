import Foundation

/// Cuts a stream into packets: a length of four bytes, then a type and its fields.
struct SFTPFraming {
    /// OpenSSH's servers send at most 256 KiB; a longer packet is not taken, however much of it is announced.
    static let longest = 1 << 20

    private var buffer = Data()

    mutating func append(_ data: Data) {
        if buffer.isEmpty { buffer = data } else { buffer.append(data) }
    }

    /// The next whole packet, without its length; nil where more has to come first.
    mutating func next() throws -> Data? {
        guard buffer.count >= 4 else { return nil }
        let length = buffer.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= Self.longest else {
            let start = String(decoding: buffer.prefix(64), as: UTF8.self).filter { !$0.isNewline }
            throw SFTPViolation("a packet of \(length) bytes is announced, by \"\(start)\"")
        }
        guard buffer.count >= 4 + length else { return nil }
        let packet = buffer.dropFirst(4).prefix(length)
        buffer = buffer.dropFirst(4 + length)
        return packet
    }
}
