/// The text of a curl configuration file (`curl(1)`, `-K`): one option a line, values in double quotes.
public struct CurlConfig: Equatable, Sendable {
    public private(set) var text = ""

    public init() {}

    /// An option without a value.
    public mutating func flag(_ name: String) { text += name + "\n" }

    public mutating func set(_ name: String, _ value: Int) { text += "\(name) = \(value)\n" }

    /// An option with a value, which may hold anything but NUL: nothing in it can end the line or the quotes.
    public mutating func set(_ name: String, _ value: String) { text += "\(name) = \(Self.quoted(value))\n" }

    /// Adds another's lines.
    public mutating func append(_ other: CurlConfig) { text += other.text }

    /// Quotes as curl reads it back: backslash escapes for itself, the quote and the controls that would end a line.
    public static func quoted(_ value: String) -> String {
        var bytes = Array("\"".utf8)
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\\"), UInt8(ascii: "\""): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): bytes += Array("\\n".utf8)
            case UInt8(ascii: "\r"): bytes += Array("\\r".utf8)
            case UInt8(ascii: "\t"): bytes += Array("\\t".utf8)
            case 0x0b: bytes += Array("\\v".utf8)
            case 0: break
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }
}
