extension Node {
    /// This document with `${NAME}` and `${NAME:-default}` in its texts replaced by what the environment says; a
    /// default may hold such references again. A text that is one such reference and nothing else also counts as a number or boolean where one is wanted. `$${` stands
    /// for `${`.
    ///
    /// - Throws: for a name that the environment lacks and that has no default.
    func expanded(from environment: [String: String]) throws(UnsetVariable) -> Node {
        switch value {
        case .null, .bool, .number, .variable: return self
        case .string(let text):
            guard text.contains("${") else { return self }
            return Node(line: line, value: try Self.expand(text, line: line, environment))
        case .array(let nodes):
            var result: [Node] = []
            for node in nodes { result.append(try node.expanded(from: environment)) }
            return Node(line: line, value: .array(result))
        case .object(var members):
            for key in members.keys { members.nodes[key] = try members.nodes[key]?.expanded(from: environment) }
            return Node(line: line, value: .object(members))
        }
    }

    /// A reference to what is not set.
    struct UnsetVariable: Error {
        var name: String
        var line: Int
    }

    private static func expand(
        _ text: String, line: Int, _ environment: [String: String]
    ) throws(UnsetVariable) -> Value {
        var result = ""
        var references = 0
        var isPure = true
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            if dollar > rest.startIndex { isPure = false }
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
                isPure = false
            } else if rest.hasPrefix("${"), let end = end(of: rest) {
                let inside = rest[rest.index(rest.startIndex, offsetBy: 2)..<end]
                result += try value(of: inside, line: line, environment)
                references += 1
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
                isPure = false
            }
        }
        if !rest.isEmpty { isPure = false }
        result += rest
        return isPure && references == 1 ? .variable(result) : .string(result)
    }

    private static func value(
        of reference: Substring, line: Int, _ environment: [String: String]
    ) throws(UnsetVariable) -> String {
        let separator = reference.firstRange(of: ":-")
        let name = String(reference[..<(separator?.lowerBound ?? reference.endIndex)])
        if let value = environment[name], !value.isEmpty { return value }
        guard let separator else { throw UnsetVariable(name: name, line: line) }
        let text = String(reference[separator.upperBound...])
        switch try expand(text, line: line, environment) {
        case .string(let text), .variable(let text): return text
        default: return text
        }
    }

    /// The brace that closes the one which `text` begins with after its dollar; nil where none does.
    private static func end(of text: Substring) -> Substring.Index? {
        var depth = 0
        var before: Character?
        for index in text.indices {
            if text[index] == "{", before == "$" { depth += 1 }
            if text[index] == "}" {
                depth -= 1
                if depth == 0 { return index }
            }
            before = text[index]
        }
        return nil
    }
}
