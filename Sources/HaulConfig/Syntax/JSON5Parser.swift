/// Reads a JSON5 document (json5.org, version 1.0.0) into nodes that know their lines. Foundation's own JSON5 reader
/// keeps no places, and takes the last of two equal keys.
struct JSON5Parser {
    /// Arrays and objects in each other.
    static let maximumDepth = 64

    struct SyntaxError: Error {
        var line: Int
        var column: Int
        var message: String
    }

    let scalars: [Unicode.Scalar]
    var position = 0
    private var depth = 0

    let lineStarts: [Int]

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
        lineStarts = Self.lineStarts(scalars)
    }

    /// The one value of the document.
    mutating func document() throws(SyntaxError) -> Node {
        try skipSpace()
        guard current != nil else { throw error("the file is empty, expected a value") }
        let node = try value()
        try skipSpace()
        guard current == nil else { throw error("expected the end of the file, found \(found)") }
        return node
    }

    var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func value() throws(SyntaxError) -> Node {
        let line = place(of: position).line
        switch current {
        case "{": return Node(line: line, value: .object(try object()))
        case "[": return Node(line: line, value: .array(try array()))
        case "\"", "'": return Node(line: line, value: .string(try string()))
        case let scalar? where "+-.0123456789".unicodeScalars.contains(scalar):
            return Node(line: line, value: .number(try number()))
        default: return Node(line: line, value: try word())
        }
    }

    private mutating func word() throws(SyntaxError) -> Node.Value {
        let start = position
        switch identifier() {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "null": return .null
        case "Infinity", "NaN":
            position = start
            return .number(try number())
        case let word?: throw error("expected a value, found \(word); a string stands in quotes", at: start)
        case nil: throw error("expected a value, found \(found)")
        }
    }

    private mutating func array() throws(SyntaxError) -> [Node] {
        let start = position
        try enter()
        defer { depth -= 1 }
        var nodes: [Node] = []
        while try !closes("]", from: start) {
            nodes.append(try value())
            try separator("]", from: start)
        }
        return nodes
    }

    private mutating func object() throws(SyntaxError) -> Node.Members {
        let start = position
        try enter()
        defer { depth -= 1 }
        var members = Node.Members()
        while try !closes("}", from: start) {
            let place = position
            let key = try memberKey()
            try skipSpace()
            guard current == ":" else { throw error("expected a colon after the key \(key), found \(found)") }
            position += 1
            try skipSpace()
            let node = try value()
            guard members.nodes.updateValue(node, forKey: key) == nil else {
                throw error("the key \(key) stands here a second time", at: place)
            }
            members.keys.append(key)
            try separator("}", from: start)
        }
        return members
    }

    private mutating func memberKey() throws(SyntaxError) -> String {
        if current == "\"" || current == "'" { return try string() }
        guard let name = identifier() else { throw error("expected a key, found \(found)") }
        return name
    }

    private mutating func enter() throws(SyntaxError) {
        guard depth < Self.maximumDepth else {
            throw error("more than \(Self.maximumDepth) arrays and objects in each other")
        }
        depth += 1
        position += 1
    }

    /// Steps over space, and over the closing bracket where it stands there.
    private mutating func closes(_ bracket: Unicode.Scalar, from start: Int) throws(SyntaxError) -> Bool {
        try skipSpace()
        guard let current else { throw unclosed(bracket, from: start) }
        if current == bracket { position += 1 }
        return current == bracket
    }

    /// Steps over the comma behind a value; none is needed before the closing bracket.
    private mutating func separator(_ bracket: Unicode.Scalar, from start: Int) throws(SyntaxError) {
        try skipSpace()
        guard let current else { throw unclosed(bracket, from: start) }
        if current == "," {
            position += 1
        } else if current != bracket {
            throw error("expected a comma or \(bracket), found \(found)")
        }
    }

    private func unclosed(_ bracket: Unicode.Scalar, from start: Int) -> SyntaxError {
        error("the file ends before the \(bracket) that belongs to this \(scalars[start])", at: start)
    }
}

extension JSON5Parser {
    /// What stands at the position, for an error.
    var found: String {
        guard let current else { return "the end of the file" }
        if current.value < 0x20 || (0x7F...0x9F).contains(current.value) {
            return "the character U+\(String(current.value, radix: 16, uppercase: true))"
        }
        return String(current)
    }

    func error(_ message: String, at index: Int? = nil) -> SyntaxError {
        let place = place(of: index ?? position)
        return SyntaxError(line: place.line, column: place.column, message: message)
    }
}
