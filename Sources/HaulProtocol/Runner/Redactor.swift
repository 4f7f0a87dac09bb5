import Foundation

/// Takes the contents of credential files out of texts before they reach a log or a reason.
struct Redactor: Sendable {
    private static let mark = Data("[redacted]".utf8)

    /// As bytes: to Swift's String a letter and an accent behind it are another letter, and whoever writes one there would
    /// show the secret.
    private let secrets: [Data]

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
            .map { Data($0.utf8) }
    }

    func redact(_ text: String) -> String {
        if secrets.isEmpty { return text }
        let bytes = Data(text.utf8)
        let clean = secrets.reduce(bytes) { Self.without($1, $0) }
        return clean == bytes ? text : String(decoding: clean, as: UTF8.self)
    }

    private static func without(_ secret: Data, _ text: Data) -> Data {
        text.withUnsafeBytes { text in
            secret.withUnsafeBytes { secret -> Data? in
                var (clean, start) = (Data(), 0)
                while let place = text.place(of: secret, from: start) {
                    clean += text[start..<place]
                    clean += mark
                    start = place + secret.count
                }
                return start > 0 ? clean + text[start...] : nil
            }
        } ?? text
    }
}
