import Foundation

/// Takes the contents of credential files out of texts before they reach a log or a reason.
struct Redactor: Sendable {
    private let secrets: [String]

    var isEmpty: Bool { secrets.isEmpty }

    /// Reads the files of a batch's credentials (blocking). What cannot be read holds nothing to take out.
    init(_ batch: BatchSpec) {
        let sites = [batch.source] + (batch.destination.map { [$0] } ?? [])
        self.init(contents: sites.flatMap(\.credentials.values).compactMap { FileManager.default.contents(atPath: $0) })
    }

    /// Every line of at least 6 bytes, what follows its first `:` or `=`, and its base64, as `Basic` would show it.
    init(contents: [Data]) {
        var secrets: Set<String> = []
        for content in contents where content.count <= 1 << 20 {
            for line in content.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
                secrets.insert(String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces))
                secrets.insert(Data(line).base64EncodedString())
                if let mark = line.firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "=") }) {
                    let value = String(decoding: line[(mark + 1)...], as: UTF8.self)
                    secrets.insert(value.trimmingCharacters(in: .whitespaces))
                }
            }
        }
        // Longest first: a secret that holds another goes as a whole.
        self.secrets = secrets.filter { $0.utf8.count >= 6 }.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }
    }

    func redact(_ text: String) -> String {
        secrets.reduce(text) { text, secret in
            text.contains(secret) ? text.replacingOccurrences(of: secret, with: "[redacted]") : text
        }
    }
}
