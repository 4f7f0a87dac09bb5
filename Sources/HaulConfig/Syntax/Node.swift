/// A value of a document, with its place.
final class Node {
    /// From 1.
    let line: Int
    let value: Value
    /// The keys of an object that a type asked for, found or not; nil until one looked at it as an object.
    var asked: [String]?

    enum Value {
        case null
        case bool(Bool)
        case number(Number)
        case string(String)
        /// A text that came whole from the environment: it counts as whatever it reads as.
        case variable(String)
        case array([Node])
        case object(Members)
    }

    /// A number as it was written, since an integer of 64 bits is no `Double`.
    struct Number {
        var text: String
        var integer: Int128?
        var double: Double
    }

    /// The members of an object in their order.
    struct Members {
        var keys: [String] = []
        var nodes: [String: Node] = [:]
    }

    init(line: Int, value: Value) {
        self.line = line
        self.value = value
    }

    /// What a person would call this value in an error; a long text is cut.
    var shown: String {
        switch value {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let number): String(number.text.prefix(40))
        case .string(let text), .variable(let text): "\"" + Self.cut(text) + "\""
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// As `shown`, without the value.
    var kind: String {
        switch value {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string, .variable: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    private static func cut(_ text: String) -> String {
        let shown = text.unicodeScalars.prefix(60).map {
            $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? "\\u{\(String($0.value, radix: 16))}" : String($0)
        }.joined()
        return text.unicodeScalars.count > 60 ? shown + "..." : shown
    }
}
