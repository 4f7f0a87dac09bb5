import Foundation

extension Timestamp {
    /// A time as clients write it: RFC 3339, where the seconds and the zone may be missing (UTC then), a date, or seconds
    /// since 1970.
    public init?(text: String) {
        if let seconds = Double(text) {
            guard abs(seconds) < 1e12 else { return nil }
            self.init(milliseconds: Int(seconds * 1000))
            return
        }
        let isDate = text.utf8.count == 10
        let zone = isDate ? nil : text.dropFirst(10).firstIndex { "Z+-".contains($0) }
        var clock = String(text[..<(zone ?? text.endIndex)]) + (isDate ? "T00:00" : "")
        if clock.utf8.count == 16 { clock += ":00" }
        // Foundation reads a zone and does not look at what follows it.
        if let zone, text[zone...] != "Z", text[zone...].wholeMatch(of: #/[+-]\d\d(:?\d\d)?/#) == nil { return nil }
        let whole = clock + (zone.map { String(text[$0...]) } ?? "Z")
        let styles = [Date.ISO8601FormatStyle(includingFractionalSeconds: true), .init()]
        guard let date = styles.lazy.compactMap({ try? $0.parse(whole) }).first else { return nil }
        self.init(milliseconds: Int((date.timeIntervalSince1970 * 1000).rounded()))
    }
}
