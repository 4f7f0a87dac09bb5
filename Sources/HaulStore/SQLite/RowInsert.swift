import Foundation

/// The statement that inserts many rows of values at once, made of the one that inserts a single row.
struct RowInsert {
    /// Rows of a statement.
    static let rows = 25

    let sql: String

    /// - Parameters:
    ///   - one: `INSERT INTO t (...) VALUES ($1, ...)`, and nothing behind; of any other there is none.
    ///   - width: values of a row.
    init?(_ one: String, width: Int) {
        let text = one.trimmingCharacters(in: .whitespacesAndNewlines)
        let isPlain = !["SELECT", "ON CONFLICT", "RETURNING"].contains { text.contains($0) }
        guard width > 0, isPlain, text.hasPrefix("INSERT INTO "), text.last == ")",
            let start = text.range(of: "VALUES (")?.upperBound
        else { return nil }
        let values = text[start...].dropLast()
        let parts = values.split(separator: "$", omittingEmptySubsequences: false)
        let more = (1..<Self.rows).map { row in
            "(" + parts[0]
                + parts.dropFirst().map { part in
                    let digits = part.prefix(while: \.isNumber)
                    return "$\((Int(digits) ?? 0) + row * width)" + part.dropFirst(digits.count)
                }.joined() + ")"
        }
        sql = ([text] + more).joined(separator: ", ")
    }
}
