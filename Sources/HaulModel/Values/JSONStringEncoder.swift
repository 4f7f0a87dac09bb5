/// Turns bytes into the inside of a JSON string (RFC 8259), piece after piece: a log is embedded in a document without
/// being held whole. What is no UTF-8 becomes U+FFFD, one for each maximal part of a sequence (Unicode 3.9), also where
/// a sequence is split over two pieces.
public struct JSONStringEncoder: Sendable {
    /// The beginning of a sequence whose rest is in the next piece.
    private var open: [UInt8] = []

    private static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]
    private static let hexDigits = Array("0123456789abcdef".utf8)

    public init() {}

    public mutating func encode(_ bytes: [UInt8]) -> [UInt8] {
        let input = open.isEmpty ? bytes : open + bytes
        open = []
        var output: [UInt8] = []
        output.reserveCapacity(input.count + input.count / 16)
        var index = 0
        while index < input.count {
            let byte = input[index]
            if byte < 0x80 {
                Self.append(byte, to: &output)
                index += 1
                continue
            }
            let (length, isWhole, mayGoOn) = Self.sequence(input, at: index)
            if isWhole {
                output += input[index..<(index + length)]
            } else if mayGoOn {
                open = Array(input[index...])
            } else {
                output += Self.replacement
            }
            index += length
        }
        return output
    }

    /// What is left to write after the last piece.
    public mutating func finish() -> [UInt8] {
        defer { open = [] }
        return open.isEmpty ? [] : Self.replacement
    }

    private static func append(_ byte: UInt8, to output: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
        case 0x0A: output += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
        case 0x0D: output += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
        case 0x09: output += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
        case 0..<0x20:
            output += Array("\\u00".utf8) + [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
        default: output.append(byte)
        }
    }

    /// How many bytes at `start` belong together, whether they are a whole character, and if not, whether the input's
    /// end is what cut them short.
    private static func sequence(
        _ input: [UInt8], at start: Int
    ) -> (length: Int, isWhole: Bool, mayGoOn: Bool) {
        let first = input[start]
        let needed: Int
        switch first {
        case 0xC2...0xDF: needed = 2
        case 0xE0...0xEF: needed = 3
        case 0xF0...0xF4: needed = 4
        default: return (1, false, false)
        }
        for position in 1..<needed {
            guard start + position < input.count else { return (position, false, true) }
            let allowed: ClosedRange<UInt8> = position == 1 ? secondByte(after: first) : 0x80...0xBF
            guard allowed.contains(input[start + position]) else { return (position, false, false) }
        }
        return (needed, true, false)
    }

    /// No overlong forms, no surrogates, nothing past U+10FFFF.
    private static func secondByte(after first: UInt8) -> ClosedRange<UInt8> {
        switch first {
        case 0xE0: 0xA0...0xBF
        case 0xED: 0x80...0x9F
        case 0xF0: 0x90...0xBF
        case 0xF4: 0x80...0x8F
        default: 0x80...0xBF
        }
    }
}
