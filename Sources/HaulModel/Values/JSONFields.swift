/// Why a document is not what it should be.
public struct JSONFieldError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The end of a sentence that starts with "the line", or "the answer": `has no "id"`.
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// The keys of a JSON object that is read often: a generic decoder takes ten times as long over one. Keys that nobody asks for
/// are no error; null is the same as a key that is missing.
public struct JSONFields: Sendable {
    private let fields: [String: JSONValue]
    /// Where the object stands in its document: `facts.`; empty for the whole.
    private let path: String

    /// The object that the bytes are.
    public init(_ bytes: [UInt8]) throws(JSONFieldError) { try self.init(Self.value(bytes), path: "") }

    private init(_ value: JSONValue, path: String) throws(JSONFieldError) {
        guard case .object(let fields) = value else {
            throw JSONFieldError(path.isEmpty ? "is not an object" : "has a wrong \"\(path.dropLast())\"")
        }
        (self.fields, self.path) = (fields, path)
    }

    /// The objects of the array that the bytes are.
    public static func array(_ bytes: [UInt8]) throws(JSONFieldError) -> [JSONFields] {
        guard case .array(let items) = try value(bytes) else { throw JSONFieldError("is not an array") }
        return try objects(items, path: "")
    }

    private static func value(_ bytes: [UInt8]) throws(JSONFieldError) -> JSONValue {
        do {
            return try JSONReader.value(bytes)
        } catch {
            throw JSONFieldError("is not JSON")
        }
    }

    private static func objects(_ items: [JSONValue], path: String) throws(JSONFieldError) -> [JSONFields] {
        var objects: [JSONFields] = []
        objects.reserveCapacity(items.count)
        for item in items { objects.append(try JSONFields(item, path: path)) }
        return objects
    }

    /// Whatever stands there.
    public func value(_ key: String) -> JSONValue? { fields[key] }

    public func text(_ key: String) throws(JSONFieldError) -> String { try needed(key, optionalText(key)) }
    public func integer(_ key: String) throws(JSONFieldError) -> Int { try needed(key, optionalInteger(key)) }

    public func optionalText(_ key: String) throws(JSONFieldError) -> String? {
        switch fields[key] {
        case nil, .null: nil
        case .string(let text): text
        default: throw wrong(key)
        }
    }

    public func optionalInteger(_ key: String) throws(JSONFieldError) -> Int? {
        switch fields[key] {
        case nil, .null: nil
        case .int(let number): number
        default: throw wrong(key)
        }
    }

    public func optionalNumber(_ key: String) throws(JSONFieldError) -> Double? {
        switch fields[key] {
        case nil, .null: nil
        case .int(let number): Double(number)
        case .double(let number): number
        default: throw wrong(key)
        }
    }

    public func optionalFlag(_ key: String) throws(JSONFieldError) -> Bool? {
        switch fields[key] {
        case nil, .null: nil
        case .bool(let flag): flag
        default: throw wrong(key)
        }
    }

    public func optionalTexts(_ key: String) throws(JSONFieldError) -> [String]? {
        switch fields[key] {
        case nil, .null: return nil
        case .array(let items):
            var texts: [String] = []
            for item in items {
                guard case .string(let text) = item else { throw wrong(key) }
                texts.append(text)
            }
            return texts
        default: throw wrong(key)
        }
    }

    public func optionalObject(_ key: String) throws(JSONFieldError) -> JSONFields? {
        switch fields[key] {
        case nil, .null: nil
        case .some(let value): try JSONFields(value, path: "\(path)\(key).")
        }
    }

    /// The values of an object of any keys; empty where there is none.
    public func values(_ key: String) throws(JSONFieldError) -> [String: JSONValue] {
        switch fields[key] {
        case nil, .null: [:]
        case .object(let values): values
        default: throw wrong(key)
        }
    }

    public func objects(_ key: String) throws(JSONFieldError) -> [JSONFields] {
        switch fields[key] {
        case nil, .null: throw missing(key)
        case .array(let items):
            return try Self.objects(items, path: "\(path)\(key).")
        default: throw wrong(key)
        }
    }

    private func needed<Value>(_ key: String, _ value: Value?) throws(JSONFieldError) -> Value {
        guard let value else { throw missing(key) }
        return value
    }

    private func missing(_ key: String) -> JSONFieldError { JSONFieldError("has no \"\(path)\(key)\"") }
    private func wrong(_ key: String) -> JSONFieldError { JSONFieldError("has a wrong \"\(path)\(key)\"") }
}
