import HaulModel

/// The line above each log of a numbered file: `=== element 3 attempt 2 worker NAME 2026-01-01T00:00:00.000Z`.
///
/// It is for a person with `less`. A log may hold a line that looks like one; programs go by offset and length
/// (`Attempt.LogPlace`) and never look for headers.
enum LogHeader {
    private static let longestWorker = 128

    static func line(_ key: AttemptKey, worker: String, time: Timestamp, note: String = "") -> [UInt8] {
        Array(
            "=== element \(key.element) attempt \(key.attempt) worker \(printable(worker)) \(time.text)\(note)\n".utf8)
    }

    /// What ends a log that was longer than its limit.
    static func cutMark(limit: Int) -> [UInt8] { Array("\n=== cut by haul after \(limit) bytes\n".utf8) }

    /// A text cut to `limit` bytes, with the mark, if it is longer.
    static func cut(_ text: [UInt8], to limit: Int) -> [UInt8] {
        text.count > limit ? Array(text[..<limit]) + cutMark(limit: limit) : text
    }

    /// A worker's name on one line: whatever could end a line or turn the terminal's direction is replaced.
    private static func printable(_ name: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in name.unicodeScalars.prefix(longestWorker) {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                result.append("?")
            default:
                result.append(scalar)
            }
        }
        return result.isEmpty ? "?" : String(result)
    }
}
