/// Why a `protocol.json` is refused.
public struct ManifestError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Where: `operations.copy.timeout`, `options[2].type`; empty for the document itself.
    public var key: String
    /// What was expected there.
    public var message: String

    public init(key: String, message: String) {
        self.key = key
        self.message = message
    }

    public var description: String { key.isEmpty ? message : "\(key): \(message)" }
}

extension ManifestError {
    /// A decoder's complaint, told with the key that it is about.
    init(_ error: any Error) {
        switch error as? DecodingError {
        case .keyNotFound(let key, let context):
            self.init(key: Self.path(context.codingPath + [key]), message: "is missing")
        case .typeMismatch(let type, let context):
            self.init(key: Self.path(context.codingPath), message: "must be \(Self.name(of: type))")
        case .valueNotFound(let type, let context):
            self.init(key: Self.path(context.codingPath), message: "must be \(Self.name(of: type)), not null")
        case .dataCorrupted(let context):
            let message = context.codingPath.isEmpty ? "is not a JSON document" : context.debugDescription
            self.init(key: Self.path(context.codingPath), message: message)
        default: self.init(key: "", message: "cannot be read")
        }
    }

    static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce(into: "") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += path.isEmpty ? key.stringValue : ".\(key.stringValue)"
            }
        }
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is Int.Type: "an integer"
        case is Bool.Type: "true or false"
        case is String.Type: "a string"
        case is [String].Type: "a list of strings"
        default: "\(type)".hasPrefix("Array") ? "a list" : "an object"
        }
    }
}
