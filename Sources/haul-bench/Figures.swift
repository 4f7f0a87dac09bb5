import Foundation

/// What a bench found, for people and for programs.
struct Figures {
    struct Row {
        var name: String
        var value: Double
        var unit: String
    }

    var bench: String
    var rows: [Row]

    var table: String {
        let width = rows.map(\.name.count).max() ?? 0
        return rows.map { row in
            let value = row.value >= 100 ? String(Int(row.value.rounded())) : String(format: "%.2f", row.value)
            return row.name.padding(toLength: width + 2, withPad: " ", startingAt: 0)
                + String(repeating: " ", count: max(0, 12 - value.count)) + value + " " + row.unit
        }.joined(separator: "\n")
    }

    var json: String {
        let object = Dictionary(rows.map { ("\($0.name) [\($0.unit)]", $0.value) }) { first, _ in first }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        struct Document: Encodable {
            var bench: String
            var figures: [String: Double]
        }
        let data = try? encoder.encode(Document(bench: bench, figures: object))
        return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
