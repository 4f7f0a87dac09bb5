/// Writes XML 1.0 (W3C, fifth edition) piece by piece. Nothing that XML can't hold is written: control characters and
/// what is no character stand as U+FFFD, in texts and in attributes alike.
struct XMLWriter {
    private(set) var bytes: [UInt8] = []
    private var open: [String] = []

    /// With the declaration.
    init() { add("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") }

    /// What was written since the last time.
    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    mutating func begin(_ name: String, _ attributes: KeyValuePairs<String, String> = [:]) {
        tag(name, attributes)
        add(">")
        open.append(name)
    }

    /// Ends the element that was begun last.
    mutating func end() {
        guard let name = open.popLast() else { return }
        add("</\(name)>")
    }

    /// An element of a text; of nothing where it is nil.
    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ text: String? = nil) {
        tag(name, attributes)
        guard let text else { return add("/>") }
        add(">")
        self.text(text)
        add("</\(name)>")
    }

    mutating func text(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": add("&amp;")
            case "<": add("&lt;")
            // "]]>" may not stand in a text.
            case ">": add("&gt;")
            // A reader makes a line feed of a raw one.
            case "\r": add("&#13;")
            default: add(scalar)
            }
        }
    }

    private mutating func tag(_ name: String, _ attributes: KeyValuePairs<String, String>) {
        add("<\(name)")
        for (name, value) in attributes {
            add(" \(name)=\"")
            for scalar in value.unicodeScalars {
                switch scalar {
                case "&": add("&amp;")
                case "<": add("&lt;")
                case "\"": add("&quot;")
                // A reader makes a blank of a raw one.
                case "\r", "\n", "\t": add("&#\(scalar.value);")
                default: add(scalar)
                }
            }
            add("\"")
        }
    }

    private mutating func add(_ scalar: Unicode.Scalar) {
        let isCharacter: Bool
        switch scalar.value {
        case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: isCharacter = true
        default: isCharacter = false
        }
        bytes.append(contentsOf: UTF8.encode(isCharacter ? scalar : "\u{FFFD}") ?? UTF8.encodedReplacementCharacter)
    }

    private mutating func add(_ text: String) { bytes += Array(text.utf8) }
}
