/// A key where its type is not known: of an array's element, or of a key that a type named by its text.
struct NodeKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = String(intValue)
        self.intValue = intValue
    }
}

/// Writes a coding path as a person would: `sites."my site".endpoints[1]`.
enum KeyPathText {
    static func of(_ path: [any CodingKey]) -> String? {
        var text = ""
        for key in path {
            if let index = key.intValue, key is NodeKey {
                text += "[\(index)]"
            } else {
                text += (text.isEmpty ? "" : ".") + quoted(key.stringValue)
            }
        }
        return text.isEmpty ? nil : text
    }

    private static func quoted(_ key: String) -> String {
        let isPlain =
            !key.isEmpty
            && key.unicodeScalars.allSatisfy { $0.properties.isIDContinue || $0 == "$" || $0 == "_" || $0 == "-" }
        return isPlain ? key : "\"\(key)\""
    }
}

/// The texts that an enum is written as, for an error.
enum Choices {
    static func of(_ type: Any.Type) -> String? {
        (type as? any CaseIterable.Type).flatMap { list($0) }
    }

    private static func list<T: CaseIterable>(_ type: T.Type) -> String? {
        let texts = type.allCases.compactMap { ($0 as? any RawRepresentable).map { text($0) } }
        return texts.isEmpty ? nil : texts.joined(separator: ", ")
    }

    private static func text(_ value: some RawRepresentable) -> String {
        (value.rawValue as? String).map { "\"\($0)\"" } ?? "\(value.rawValue)"
    }
}
