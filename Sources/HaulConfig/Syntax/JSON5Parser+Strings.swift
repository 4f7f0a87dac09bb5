extension JSON5Parser {
    /// A string in either kind of quotes.
    mutating func string() throws(SyntaxError) -> String {
        let start = position
        let quote = scalars[position]
        var text = String.UnicodeScalarView()
        position += 1
        while let current {
            position += 1
            if current == quote { return String(text) }
            if current == "\\" {
                if let scalar = try escape() { text.append(scalar) }
            } else if current == "\n" || current == "\r" {
                throw error("this string has no closing \(quote) on its line", at: start)
            } else {
                text.append(current)
            }
        }
        throw error("this string has no closing \(quote)", at: start)
    }

    /// What stands behind a backslash; nil for a line that goes on in the next.
    private mutating func escape() throws(SyntaxError) -> Unicode.Scalar? {
        let start = position - 1
        guard let current else { throw error("the file ends in a string", at: start) }
        position += 1
        switch current {
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "v": return "\u{B}"
        case "x": return Unicode.Scalar(try hexadecimal(digits: 2, from: start))
        case "u": return try unicodeEscape(from: start)
        case "\r":
            if self.current == "\n" { position += 1 }
            return nil
        case "\n", "\u{2028}", "\u{2029}": return nil
        case "0" where self.current.map({ !("0"..."9").contains($0) }) ?? true: return "\0"
        case "0"..."9": throw error("a backslash and a digit mean nothing here", at: start)
        default: return current
        }
    }

    private mutating func unicodeEscape(from start: Int) throws(SyntaxError) -> Unicode.Scalar {
        let first = try hexadecimal(digits: 4, from: start)
        if let scalar = Unicode.Scalar(first) { return scalar }
        // Beyond the basic plane JSON writes two surrogates, as UTF-16 has them.
        guard (0xD800...0xDBFF).contains(first), position + 1 < scalars.count, scalars[position] == "\\",
            scalars[position + 1] == "u"
        else { throw error("half of a surrogate pair", at: start) }
        position += 2
        let second = try hexadecimal(digits: 4, from: start)
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw error("half of a surrogate pair", at: start) }
        return scalar
    }

    private mutating func hexadecimal(digits: Int, from start: Int) throws(SyntaxError) -> UInt32 {
        let text = String(String.UnicodeScalarView(scalars[position..<min(position + digits, scalars.count)]))
        guard text.utf8.count == digits, text.utf8.first != UInt8(ascii: "+"), let value = UInt32(text, radix: 16)
        else {
            throw error("expected \(digits) hexadecimal digits after the backslash", at: start)
        }
        position += digits
        return value
    }
}
