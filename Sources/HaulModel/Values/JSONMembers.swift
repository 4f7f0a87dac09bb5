/// The names and values of a JSON object, as they were written: numbers keep their digits, however many, and names are told
/// apart by their bytes. Blanks go, and strings are written as ``JSONWriter`` does.
public struct JSONMembers: Sendable, Hashable {
    /// JSON, by the UTF-8 of names.
    private var values: [[UInt8]: [UInt8]] = [:]

    public init() {}

    /// - Parameter most: values that it may hold, those in arrays and objects of it counted.
    /// - Returns: nil where the text begins like something else than an object.
    /// - Throws: for what is no JSON, an object that has a name twice, a number that no double comes near, and too many
    ///   values. `NaN` and `Infinity` are no JSON.
    public init?(_ bytes: [UInt8], most: Int = .max) throws(JSONSyntaxError) {
        var reader = JSONReader(bytes: bytes, refusesDuplicates: true, most: most)
        reader.skipBlanks()
        guard reader.take(UInt8(ascii: "{")) else { return nil }
        var isFirst = true
        while let name = try reader.name(isFirst: isFirst, isKnown: { values[$0] != nil }) {
            var writer = JSONWriter()
            try reader.copy(to: &writer, depth: 1)
            values[name] = writer.bytes
            isFirst = false
        }
        try reader.end()
    }

    public init(_ values: [String: JSONValue]) {
        for (name, value) in values { set(name, value) }
    }

    private mutating func set(_ name: String, _ value: JSONValue) {
        var writer = JSONWriter()
        writer.value(value)
        values[Array(name.utf8)] = writer.bytes
    }

    public var count: Int { values.count }
    public var isEmpty: Bool { values.isEmpty }

    /// Bytes, as JSON.
    public var size: Int { json.count }

    /// The JSON of a value.
    public subscript(_ name: String) -> [UInt8]? {
        get { values[Array(name.utf8)] }
        set { values[Array(name.utf8)] = newValue }
    }

    /// Sets what another has, in the place of what stands under the same names.
    public mutating func merge(_ other: JSONMembers) { values.merge(other.values) { $1 } }

    /// Calls `body` with each name and the JSON of its value.
    public func forEach<Failure: Error>(_ body: (String, [UInt8]) throws(Failure) -> Void) throws(Failure) {
        for (name, value) in values { try body(String(decoding: name, as: UTF8.self), value) }
    }

    /// The object, its names in the order of their bytes.
    public var json: [UInt8] {
        var writer = JSONWriter(capacity: values.reduce(2) { $0 + $1.key.count + $1.value.count + 4 })
        writer.open(UInt8(ascii: "{"))
        for (name, value) in values.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            writer.key(text: String(decoding: name, as: UTF8.self))
            writer.raw(value[...])
        }
        writer.close(UInt8(ascii: "}"))
        return writer.bytes
    }
}

extension JSONMembers: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        for (name, value) in elements { set(name, value) }
    }
}

extension JSONReader {
    /// The name that comes next in an object, and the colon after it; nil at its end.
    mutating func name(isFirst: Bool, isKnown: ([UInt8]) -> Bool) throws(JSONSyntaxError) -> [UInt8]? {
        skipBlanks()
        if take(UInt8(ascii: "}")) {
            return nil
        } else if !isFirst {
            guard take(UInt8(ascii: ",")) else { throw error("a comma or } is expected") }
            skipBlanks()
        }
        guard next == UInt8(ascii: "\"") else { throw error("a key in double quotes is expected") }
        let start = position
        let name = Array(try string().utf8)
        if isKnown(name) { throw error("a key stands there twice", at: start) }
        skipBlanks()
        guard take(UInt8(ascii: ":")) else { throw error("a colon is expected") }
        return name
    }

    /// Writes the value that comes next.
    mutating func copy(to writer: inout JSONWriter, depth: Int) throws(JSONSyntaxError) {
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"):
            try enter(depth)
            position += 1
            writer.open(UInt8(ascii: "{"))
            var names: Set<[UInt8]> = []
            while let name = try self.name(isFirst: names.isEmpty, isKnown: { names.contains($0) }) {
                names.insert(name)
                writer.key(text: String(decoding: name, as: UTF8.self))
                try copy(to: &writer, depth: depth + 1)
            }
            writer.close(UInt8(ascii: "}"))
        case UInt8(ascii: "["):
            try enter(depth)
            position += 1
            writer.open(UInt8(ascii: "["))
            skipBlanks()
            if !take(UInt8(ascii: "]")) {
                while true {
                    try copy(to: &writer, depth: depth + 1)
                    skipBlanks()
                    if take(UInt8(ascii: "]")) { break }
                    guard take(UInt8(ascii: ",")) else { throw error("a comma or ] is expected") }
                }
            }
            writer.close(UInt8(ascii: "]"))
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            let start = position
            _ = try value(depth: depth)
            writer.raw(bytes[start..<position])
        default: writer.value(try value(depth: depth))
        }
    }
}
