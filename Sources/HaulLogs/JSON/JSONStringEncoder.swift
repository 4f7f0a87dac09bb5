/// Puts bytes piece by piece into a JSON string, without holding all of them: the inside, without the quotes. Bytes that
/// are no UTF-8 become U+FFFD; a character that two pieces share is kept whole.
public struct JSONStringEncoder: Sendable {
    /// The beginning of a character that the next piece ends.
    private var pending: [UInt8] = []

    public init() {}

    public mutating func encode(_ bytes: [UInt8]) -> [UInt8] {
        let all = pending + bytes
        let tail = Self.unfinished(all)
        pending = Array(all.suffix(tail))
        return Self.escape(all.dropLast(tail))
    }

    /// What is left once all pieces came.
    public mutating func finish() -> [UInt8] {
        defer { pending = [] }
        return Self.escape(pending[...])
    }

    /// Bytes at the end that begin a character and don't end it.
    private static func unfinished(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }

    private static func escape(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count + bytes.count / 16)
        var text = String(decoding: bytes, as: UTF8.self)
        text.withUTF8 { utf8 in
            for byte in utf8 {
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): result += [UInt8(ascii: "\\"), byte]
                case 0x0A: result += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
                case 0x0D: result += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
                case 0x09: result += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
                case 0..<0x20, 0x7F:
                    let digits = Array("0123456789abcdef".utf8)
                    result += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                default: result.append(byte)
                }
            }
        }
        return result
    }
}
