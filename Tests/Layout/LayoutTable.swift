import Foundation

/// README's table of targets: `| target | its one purpose | may import |`.
struct LayoutTable {
    /// What each target may import of this package; a nil value: anything.
    private(set) var allowed: [String: Set<String>?] = [:]
    /// Rows for a folder of targets, as `protocols/NAME`.
    private(set) var folders: [String: Set<String>] = [:]

    /// Reads the table of a Markdown text. In its cells names of targets count, and nothing else, so that a cell may
    /// explain.
    init(markdown: String, targets: Set<String>) {
        var inTable = false
        for line in markdown.split(separator: "\n", omittingEmptySubsequences: false) {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast()
                .map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 3 else {
                inTable = false
                continue
            }
            if cells[0] == "target", cells[2].hasPrefix("may import") { inTable = true }
            guard inTable else { continue }
            let imports = cells[2].contains("what they compose") ? nil : Self.names(cells[2]).intersection(targets)
            for name in Self.names(cells[0]) {
                if name.hasSuffix("/NAME") { folders[String(name.dropLast(5))] = imports ?? targets }
                if targets.contains(name) { allowed[name] = .some(imports) }
            }
        }
    }

    private static func names(_ cell: String) -> Set<String> {
        Set(cell.split { !($0.isLetter || $0.isNumber || "-_/".contains($0)) }.map(String.init))
    }
}
