/// What is wrong with a text that is no JSON, and where.
public struct JSONSyntaxError: Error, Sendable, Hashable {
    /// From 1.
    public var line: Int
    /// Bytes of UTF-8 from the line's start, from 1.
    public var column: Int
    public var message: String

    public init(line: Int, column: Int, message: String) {
        self.line = line
        self.column = column
        self.message = message
    }
}

/// Reads JSON (RFC 8259) strictly and says where it is wrong: Foundation's decoder takes trailing commas, and says of a
/// syntax error neither line nor column.
public struct JSONReader {
    /// Levels of arrays and objects: deeper ones only wear out a stack.
    public static let maximumDepth = 128

    let bytes: [UInt8]
    private let refusesDuplicates: Bool
    private let most: Int
    var position = 0
    private var count = 0

    /// The value that `bytes` are, with nothing behind it but blanks.
    ///
    /// - Parameter refusesDuplicates: Whether an object that has a key twice is an error, as it is for tokens (RFC 7515,
    ///   section 4); else the last counts.
    /// - Parameter most: Values that it may have, all of them together: each takes more memory than it has bytes.
    public static func value(
        _ bytes: [UInt8], refusesDuplicates: Bool = false, most: Int = .max
    ) throws(JSONSyntaxError) -> JSONValue {
        var reader = JSONReader(bytes: bytes, refusesDuplicates: refusesDuplicates, most: most)
        let value = try reader.value(depth: 0)
        try reader.end()
        return value
    }

    init(bytes: [UInt8], refusesDuplicates: Bool, most: Int) {
        self.bytes = bytes
        self.refusesDuplicates = refusesDuplicates
        self.most = most
    }

    /// Nothing but blanks may follow.
    mutating func end() throws(JSONSyntaxError) {
        skipBlanks()
        guard position == bytes.count else { throw error("text after the end of the document") }
    }

    /// Counts a value, at its level.
    mutating func enter(_ depth: Int) throws(JSONSyntaxError) {
        guard depth <= Self.maximumDepth else { throw error("more than \(Self.maximumDepth) levels") }
        count += 1
        guard count <= most else { throw error("more than \(most) values") }
    }

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        try enter(depth)
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try number()
        case nil: throw error("the document ends where a value is expected")
        default: throw error("no value can begin here")
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> [String: JSONValue] {
        var result: [String: JSONValue] = [:]
        position += 1
        skipBlanks()
        if take(UInt8(ascii: "}")) { return result }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw error("a key in double quotes is expected") }
            let start = position
            let key = try string()
            if refusesDuplicates, result[key] != nil { throw error("a key stands there twice", at: start) }
            skipBlanks()
            guard take(UInt8(ascii: ":")) else { throw error("a colon is expected") }
            result[key] = try value(depth: depth + 1)
            skipBlanks()
            if take(UInt8(ascii: "}")) { return result }
            guard take(UInt8(ascii: ",")) else { throw error("a comma or } is expected") }
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
        var result: [JSONValue] = []
        position += 1
        skipBlanks()
        if take(UInt8(ascii: "]")) { return result }
        while true {
            result.append(try value(depth: depth + 1))
            skipBlanks()
            if take(UInt8(ascii: "]")) { return result }
            guard take(UInt8(ascii: ",")) else { throw error("a comma or ] is expected") }
        }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        position += 1
        return true
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let count = text.utf8CodeUnitCount
        let isThere = text.withUTF8Buffer { bytes[position...].prefix(count).elementsEqual($0) }
        guard isThere else { throw error("no value can begin here") }
        position += count
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = position
        var isWhole = true
        _ = take(UInt8(ascii: "-"))
        if take(UInt8(ascii: "0")) {
            if isDigit { throw error("a number has no zero in front") }
        } else {
            try digits()
        }
        if take(UInt8(ascii: ".")) {
            isWhole = false
            try digits()
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            position += 1
            isWhole = false
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        // Up to eighteen digits fit, whatever they are.
        if isWhole, position - start <= 18 {
            let isNegative = bytes[start] == UInt8(ascii: "-")
            let value = bytes[(isNegative ? start + 1 : start)..<position].reduce(0) { $0 * 10 + Int($1 & 15) }
            return .int(isNegative ? -value : value)
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let value = Int(text) { return .int(value) }
        guard let value = Double(text), value.isFinite else {
            position = start
            throw error("the number is too large")
        }
        if let whole = Int(exactly: value) { return .int(whole) }
        return .double(value)
    }

    private var isDigit: Bool { next.map { (0x30...0x39).contains($0) } ?? false }

    private mutating func digits() throws(JSONSyntaxError) {
        guard isDigit else { throw error("a digit is expected") }
        while isDigit { position += 1 }
    }

    mutating func string() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if next == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try text(bytes[start..<position], from: start)
        }
        var unescaped = Array(bytes[start..<position])
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return try text(unescaped[...], from: start)
            case UInt8(ascii: "\\"):
                position += 1
                unescaped += try escape()
            case 0..<0x20: throw error("a control character in a string is written as an escape")
            default:
                unescaped.append(byte)
                position += 1
            }
        }
        throw error("a string does not end")
    }

    private func text(_ slice: ArraySlice<UInt8>, from start: Int) throws(JSONSyntaxError) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw error("the string is no valid UTF-8", at: start)
        }
        return text
    }

    private mutating func escape() throws(JSONSyntaxError) -> [UInt8] {
        guard let byte = next else { throw error("a string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var unit = try hexUnit()
            if (0xD800..<0xDC00).contains(unit), take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) {
                let low = try hexUnit()
                guard (0xDC00..<0xE000).contains(low) else { throw error("half of a surrogate pair is missing") }
                unit = 0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(unit) else { throw error("half of a surrogate pair is missing") }
            return Array(String(Character(scalar)).utf8)
        default:
            position -= 1
            throw error("an escape that is none")
        }
    }

    private mutating func hexUnit() throws(JSONSyntaxError) -> UInt32 {
        let text = String(decoding: bytes[position...].prefix(4), as: UTF8.self)
        guard text.utf8.count == 4, text.utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt32(text, radix: 16)
        else { throw error("four hexadecimal digits are expected") }
        position += 4
        return unit
    }

    func error(_ message: String, at place: Int? = nil) -> JSONSyntaxError {
        let before = bytes[..<min(place ?? position, bytes.count)]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        return JSONSyntaxError(
            line: before.count { $0 == 0x0A } + 1, column: before.count - lineStart + 1, message: message)
    }
}
