/// Writes a JSON document as bytes, for answers of which there are many a second: a generic encoder takes ten times as
/// long over them. Whoever writes puts keys in their alphabetical order, as our other documents have them.
public struct JSONWriter: Sendable {
    public private(set) var bytes: [UInt8] = []
    /// Something stands before the next value or key that it has to be told from.
    private var hasMore = false

    public init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// An object; `body` writes its keys and values.
    public mutating func object(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    /// An array; `body` writes its values.
    public mutating func array(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "["))
        body(&self)
        close(UInt8(ascii: "]"))
    }

    /// The key of the value that is written next; it has nothing that would need an escape.
    public mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        hasMore = false
    }

    public mutating func value(_ number: Int) {
        separate()
        append(digitsOf: number)
        hasMore = true
    }

    public mutating func value(_ text: String) {
        separate()
        quote(text)
        hasMore = true
    }

    public mutating func value(_ number: Int?) {
        if let number { value(number) } else { null() }
    }

    public mutating func value(_ text: String?) {
        if let text { value(text) } else { null() }
    }

    public mutating func null() { word("null") }

    public mutating func value(_ flag: Bool) { word(flag ? "true" : "false") }

    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let flag): self.value(flag)
        case .int(let number): self.value(number)
        case .double(let number):
            let text = "\(number)"
            word(text.hasSuffix(".0") ? String(text.dropLast(2)) : text)
        case .string(let text): self.value(text)
        case .array(let items): array { writer in for item in items { writer.value(item) } }
        case .object(let fields): self.value(fields)
        }
    }

    /// An object of any keys.
    public mutating func value(_ fields: [String: JSONValue]) {
        object { writer in
            for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
                writer.key(text: key)
                writer.value(value)
            }
        }
    }

    /// A key with its value; nothing at all for nil.
    public mutating func field(_ name: StaticString, _ text: String?) {
        guard let text else { return }
        key(name)
        value(text)
    }

    public mutating func field(_ name: StaticString, _ number: Int?) {
        guard let number else { return }
        key(name)
        value(number)
    }

    public mutating func field(_ name: StaticString, _ value: JSONValue) {
        key(name)
        self.value(value)
    }

    /// A key of any text.
    mutating func key(text: String) {
        separate()
        quote(text)
        bytes.append(UInt8(ascii: ":"))
        hasMore = false
    }

    /// A value that is JSON already.
    mutating func raw(_ json: ArraySlice<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        hasMore = true
    }

    mutating func open(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        hasMore = false
    }

    mutating func close(_ byte: UInt8) {
        bytes.append(byte)
        hasMore = true
    }

    private mutating func separate() {
        if hasMore { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func word(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
        hasMore = true
    }

    private mutating func append(digitsOf number: Int) {
        guard number >= 0 else { return bytes.append(contentsOf: String(number).utf8) }
        let start = bytes.count
        var rest = number
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    /// A string (RFC 8259, 7): quotes, backslashes and control characters as escapes, anything else as it is.
    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            if utf8.contains(where: Self.needsEscape) {
                for byte in utf8 { escape(byte) }
            } else {
                bytes.append(contentsOf: utf8)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
        case 0x08: bytes += "\\b".utf8
        case 0x09: bytes += "\\t".utf8
        case 0x0A: bytes += "\\n".utf8
        case 0x0C: bytes += "\\f".utf8
        case 0x0D: bytes += "\\r".utf8
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            bytes += "\\u00".utf8
            bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        default: bytes.append(byte)
        }
    }
}
