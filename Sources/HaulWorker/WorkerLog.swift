/// The worker's own log: one line an event, `event key=value ...`, never a secret.
public struct WorkerLog: Sendable {
    private let write: @Sendable (String) -> Void

    /// - Parameter write: Takes a line without its newline.
    public init(write: @escaping @Sendable (String) -> Void) { self.write = write }

    /// Writes one event. Values that hold spaces, quotes or control characters are quoted.
    public func callAsFunction(_ event: String, _ fields: KeyValuePairs<String, any CustomStringConvertible> = [:]) {
        let parts = fields.map { "\($0.key)=\(Self.quoted($0.value.description))" }
        write(([event] + parts).joined(separator: " "))
    }

    /// Text as one word: a line of the log stays one line, whatever a server or backend said.
    static func quoted(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "\"" && $0 != "=" }
        if plain && !text.isEmpty { return text }
        var result = "\""
        for scalar in text.unicodeScalars.prefix(2000) {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
