import Foundation

extension Timestamp {
    /// A time as clients write it: RFC 3339, where seconds and what is behind them may be missing (UTC then), a date, or
    /// seconds since 1970.
    public init?(text: String) {
        if let seconds = Double(text) {
            guard abs(seconds) < 1e12 else { return nil }
            self.init(milliseconds: Int(seconds * 1000))
            return
        }
        var whole = text
        if whole.utf8.count == 10 { whole += "T00:00" }
        if whole.utf8.count == 16 { whole += ":00" }
        if !whole.dropFirst(10).contains(where: { "Z+-".contains($0) }) { whole += "Z" }
        let styles = [Date.ISO8601FormatStyle(includingFractionalSeconds: true), .init()]
        guard let date = styles.lazy.compactMap({ try? $0.parse(whole) }).first else { return nil }
        self.init(milliseconds: Int((date.timeIntervalSince1970 * 1000).rounded()))
    }
}
