/// How wide text is on a terminal.
enum Columns {
    static func width(_ text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.reduce(0) { $0 + width($1) }
    }

    /// Pads on the right.
    static func pad(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - self.width(text)))
    }

    /// The start of a text, with an ellipsis where some is missing.
    static func cut(_ text: String, to limit: Int) -> String {
        guard width(text) > limit else { return text }
        return take(text, limit - 1) + "…"
    }

    /// The end of a text, which says more of a path.
    static func cutStart(_ text: String, to limit: Int) -> String {
        guard width(text) > limit else { return text }
        return "…" + String(take(String(text.reversed()), limit - 1).reversed())
    }

    private static func take(_ text: String, _ limit: Int) -> String {
        var used = 0
        return String(
            text.prefix { character in
                used += width(character)
                return used <= limit
            })
    }

    /// Two columns for what East Asian Width (UAX 11) calls wide and for pictures; none for what is only a mark.
    private static func width(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x300...0x36F, 0x200B...0x200D, 0xFE00...0xFE0F: return 0
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
            0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            return 2
        default: return 1
        }
    }
}
