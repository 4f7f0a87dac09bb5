/// Rows under a heading: aligned and cut to the width on a terminal, a row a line with tabs between elsewhere.
///
/// Rows are written in pages, so that a list of any length needs the memory of one page.
struct Table {
    struct Column {
        var title: String
        /// May be cut where the terminal is narrow; its end is kept.
        var isPath = false
    }

    private static let page = 100
    private let columns: [Column]
    private let output: Output
    private var rows: [[String]] = []
    private var widths: [Int] = []
    private(set) var count = 0

    init(_ columns: [Column], on output: Output) {
        self.columns = columns
        self.output = output
    }

    mutating func add(_ row: [String]) async {
        rows.append(row.map(Printable.line))
        count += 1
        if rows.count >= Self.page { await flush() }
    }

    /// Writes what waits.
    mutating func flush() async {
        defer { rows = [] }
        guard output.isTerminal else {
            let text = rows.map { $0.joined(separator: "\t") + "\n" }.joined()
            return await output.text(text)
        }
        guard !rows.isEmpty else { return }
        let isFirst = widths.isEmpty
        if isFirst { widths = columns.map { Columns.width($0.title) } }
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], Columns.width(cell)) }
        }
        fit()
        var text = isFirst ? format(columns.map(\.title)) { shown, _ in shown } : ""
        for row in rows { text += format(row, paint) }
        await output.text(text)
    }

    /// Takes what is too much from the widest path, again and again.
    private mutating func fit() {
        let gaps = 2 * (columns.count - 1)
        while widths.reduce(gaps, +) > output.width {
            let paths = columns.indices.filter { columns[$0].isPath && widths[$0] > 12 }
            guard let widest = paths.max(by: { widths[$0] < widths[$1] }) else { return }
            widths[widest] -= 1
        }
    }

    private func format(_ row: [String], _ paint: (_ shown: String, _ cell: String) -> String) -> String {
        var line = ""
        for (index, cell) in row.enumerated() {
            let shown = columns[index].isPath ? Columns.cutStart(cell, to: widths[index]) : cell
            line += index == 0 ? "" : "  "
            line += paint(Columns.pad(shown, to: widths[index]), cell)
        }
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }

    private func paint(_ shown: String, _ cell: String) -> String {
        guard output.hasColor else { return shown }
        switch cell {
        case "DONE": return "\u{1B}[32m\(shown)\u{1B}[0m"
        case "FAILED": return "\u{1B}[31m\(shown)\u{1B}[0m"
        case "RUNNING": return "\u{1B}[36m\(shown)\u{1B}[0m"
        case "CANCELLED": return "\u{1B}[33m\(shown)\u{1B}[0m"
        default: return shown
        }
    }
}
