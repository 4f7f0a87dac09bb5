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
