/// Text from elsewhere, made safe to print: nothing in it moves a cursor, colours, rings or reverses what a person reads.
enum Printable {
    /// Text for one line: line ends and tabs are escaped too.
    static func line(_ text: String) -> String { escape(text) { _ in false } }

    /// Text of several lines: line ends and tabs stay.
    static func lines(_ text: String) -> String { escape(text) { $0 == "\n" || $0 == "\t" } }

    private static func escape(_ text: String, keeping keeps: (Unicode.Scalar) -> Bool) -> String {
        guard text.unicodeScalars.contains(where: { isHostile($0) && !keeps($0) }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if !isHostile(scalar) || keeps(scalar) {
                result.unicodeScalars.append(scalar)
                continue
            }
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default: result += "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return result
    }

    /// C0 and C1 controls (ECMA-48), line and paragraph separators, and what changes the direction of text (UAX 9).
    private static func isHostile(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
