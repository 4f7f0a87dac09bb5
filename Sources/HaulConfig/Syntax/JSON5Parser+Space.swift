extension JSON5Parser {
    /// Steps over white space and comments.
    mutating func skipSpace() throws(SyntaxError) {
        while let current {
            if current == "/" {
                try skipComment()
            } else if current.properties.isWhitespace || current == "\u{FEFF}" {
                position += 1
            } else {
                return
            }
        }
    }

    private mutating func skipComment() throws(SyntaxError) {
        let start = position
        switch position + 1 < scalars.count ? scalars[position + 1] : nil {
        case "/":
            while let current, !Self.endsLine(current) { position += 1 }
        case "*":
            position += 2
            while position + 1 < scalars.count {
                if scalars[position] == "*" && scalars[position + 1] == "/" {
                    position += 2
                    return
                }
                position += 1
            }
            throw error("this comment has no end", at: start)
        default:
            throw error("expected a value or a comment, found /")
        }
    }

    /// An unquoted key or a word like `true`; nil where none starts here.
    mutating func identifier() -> String? {
        var name = String.UnicodeScalarView()
        while let current, Self.isPart(current, first: name.isEmpty) {
            name.append(current)
            position += 1
        }
        return name.isEmpty ? nil : String(name)
    }

    /// ECMAScript's IdentifierStart and IdentifierPart, but for escapes in names, which nobody writes.
    private static func isPart(_ scalar: Unicode.Scalar, first: Bool) -> Bool {
        if scalar == "$" || scalar == "_" { return true }
        return first ? scalar.properties.isIDStart : scalar.properties.isIDContinue
    }

    static func endsLine(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || scalar == "\r" || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}

extension JSON5Parser {
    /// The line and column of an index, both from 1.
    func place(of index: Int) -> (line: Int, column: Int) {
        var low = 0
        var high = lineStarts.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= index { low = middle } else { high = middle }
        }
        return (low + 1, index - lineStarts[low] + 1)
    }

    /// The index at which each line starts; CR LF is one end of a line.
    static func lineStarts(_ scalars: [Unicode.Scalar]) -> [Int] {
        var starts = [0]
        for at in scalars.indices {
            let isEnd =
                scalars[at] == "\n" || (scalars[at] == "\r" && (at + 1 == scalars.count || scalars[at + 1] != "\n"))
            if isEnd { starts.append(at + 1) }
        }
        return starts
    }
}
