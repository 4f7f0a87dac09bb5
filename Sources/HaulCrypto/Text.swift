/// Bytes as text.
public enum Text {
    /// base64url without padding (RFC 4648, section 5).
    public static func base64url(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 4 / 3 + 2) { buffer in
            var count = 0
            for start in stride(from: 0, to: bytes.count, by: 3) {
                let group = bytes[start..<min(start + 3, bytes.count)]
                // Three bytes are four digits; what is missing at the end is neither read nor written.
                var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (4 - group.count))
                for _ in 0...group.count {
                    buffer[count] = base64Digits[Int(bits >> 26)]
                    bits <<= 6
                    count += 1
                }
            }
            return count
        }
    }

    /// The bytes of base64url without padding; nil where it is anything else: another alphabet, padding, blanks, a length
    /// that no bytes have, or bits behind the last byte, so that no two texts mean the same bytes.
    public static func bytes(base64url text: Substring) -> [UInt8]? {
        let digits = text.utf8
        guard digits.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count * 3 / 4)
        var (bits, held) = (UInt32(0), 0)
        for digit in digits {
            let value = base64Values[Int(digit)]
            guard value < 64 else { return nil }
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> held))
                bits &= (1 << held) - 1
            }
        }
        return bits == 0 ? bytes : nil
    }

    /// By a digit's byte; 255 for what is no digit.
    private static let base64Values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, digit) in base64Digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()
    private static let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// Lower-case hexadecimal digits.
    public static func hex(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            for (place, byte) in bytes.enumerated() {
                buffer[2 * place] = hexDigits[Int(byte >> 4)]
                buffer[2 * place + 1] = hexDigits[Int(byte & 15)]
            }
            return bytes.count * 2
        }
    }
}
