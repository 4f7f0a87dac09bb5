public import HaulModel

/// A JSON Schema (2020-12), as `/openapi.json` has it: what a document or one of its fields is. It stands beside the
/// document; tests hold the one against the other.
public struct Schema: Sendable {
    /// The schema itself; a named one that it holds stands in it as a reference.
    public private(set) var value: [String: JSONValue]
    /// Under which it stands among the document's components; nil stands where it is used.
    public let name: String?
    /// The named ones that it refers to.
    public let parts: [Schema]

    public init(_ value: [String: JSONValue], name: String? = nil, parts: [Schema] = []) {
        self.value = value
        self.name = name
        self.parts = parts
    }

    /// Where the components of the document stand.
    public static let components = "#/components/schemas/"

    /// As it stands where it is used: a named one is a reference.
    public var use: JSONValue { name.map { ["$ref": .string(Self.components + $0)] } ?? .object(value) }

    /// What it is for, where the name of its field does not say: a unit, a form.
    public func about(_ text: String) -> Schema {
        name == nil ? with("description", .string(text)) : Schema.all(of: [self]).with("description", .string(text))
    }

    /// Null counts, too.
    public var orNull: Schema { Schema.any(of: [self, Schema(["type": "null"])]) }

    public func with(_ key: String, _ value: JSONValue) -> Schema {
        var result = self
        result.value[key] = value
        return result
    }

    /// Named ones that one refers to, and those to which they do: what has to stand among the components.
    public var named: [Schema] { (name == nil ? [] : [self]) + parts.flatMap(\.named) }

    fileprivate static func kept(_ schemas: [Schema]) -> [Schema] {
        schemas.flatMap { $0.name == nil ? $0.parts : [$0] }
    }
}

/// A document that says what it looks like.
public protocol Documented {
    static var schema: Schema { get }
}

extension Schema {
    public static let anything = Schema([:])
    public static let flag = Schema(["type": "boolean"])
    public static let number = Schema(["type": "number"])
    public static let text = Schema(["type": "string"])
    public static let integer = Schema(["type": "integer"])
    /// How many there are of something, or its id.
    public static let count = integer(0...Int.max)
    /// A moment: UTC, milliseconds, `Z`.
    public static let time = Schema(["type": "string", "format": "date-time"])
    /// Fields of any name.
    public static let values = map(of: anything)

    public static func integer(_ range: ClosedRange<Int>) -> Schema {
        var value = integer.value
        if range.lowerBound != Int.min { value["minimum"] = .int(range.lowerBound) }
        if range.upperBound != Int.max { value["maximum"] = .int(range.upperBound) }
        return Schema(value)
    }

    /// A text of so many characters, where it is of ASCII: limits count bytes.
    public static func text(_ length: ClosedRange<Int>, pattern: String? = nil) -> Schema {
        var value = text.value
        if length.lowerBound > 0 { value["minLength"] = .int(length.lowerBound) }
        if length.upperBound != Int.max { value["maxLength"] = .int(length.upperBound) }
        if let pattern { value["pattern"] = .string(pattern) }
        return Schema(value)
    }

    public static func one(of names: [String]) -> Schema {
        Schema(["type": "string", "enum": .array(names.map { .string($0) })])
    }

    public static func list(of item: Schema, _ length: ClosedRange<Int> = 0...Int.max) -> Schema {
        var value: [String: JSONValue] = ["type": "array", "items": item.use]
        if length.lowerBound > 0 { value["minItems"] = .int(length.lowerBound) }
        if length.upperBound != Int.max { value["maxItems"] = .int(length.upperBound) }
        return Schema(value, parts: kept([item]))
    }

    public static func map(of item: Schema) -> Schema {
        Schema(["type": "object", "additionalProperties": item.use], parts: kept([item]))
    }

    public static func any(of choices: [Schema]) -> Schema {
        Schema(["anyOf": .array(choices.map(\.use))], parts: kept(choices))
    }

    public static func all(of parts: [Schema]) -> Schema {
        Schema(["allOf": .array(parts.map(\.use))], parts: kept(parts))
    }

    /// An object; a field whose name ends in `?` may be missing.
    ///
    /// - Parameter isOpen: it may have further fields, as what a request sends.
    public static func object(_ fields: KeyValuePairs<String, Schema>, isOpen: Bool = false) -> Schema {
        object(nil, fields, isOpen: isOpen)
    }

    /// The same among the document's components.
    public static func object(
        _ name: String?, _ fields: KeyValuePairs<String, Schema>, isOpen: Bool = false
    ) -> Schema {
        var properties: [String: JSONValue] = [:]
        var required: [JSONValue] = []
        for (key, schema) in fields {
            let isOptional = key.hasSuffix("?")
            let field = isOptional ? String(key.dropLast()) : key
            properties[field] = schema.use
            if !isOptional { required.append(.string(field)) }
        }
        var value: [String: JSONValue] = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { value["required"] = .array(required) }
        if !isOpen { value["additionalProperties"] = false }
        return Schema(value, name: name, parts: kept(fields.map(\.value)))
    }

    /// An object with the fields of two.
    public func adding(_ name: String?, _ other: Schema) -> Schema {
        var value = value
        let fields = (value["properties"]?.object ?? [:]).merging(other.value["properties"]?.object ?? [:]) { $1 }
        value["properties"] = .object(fields)
        let required = (value["required"]?.array ?? []) + (other.value["required"]?.array ?? [])
        if !required.isEmpty { value["required"] = .array(required) }
        return Schema(value, name: name, parts: parts + other.parts)
    }
}
