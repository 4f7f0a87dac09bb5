import Foundation

/// The dates of HTTP headers and WebDAV properties (RFC 9110, section 5.6.7): all three forms, always UTC.
public enum HTTPDate {
    /// Seconds since 1970, or nil where the text is none of the three forms.
    public static func seconds(_ text: String) -> Int? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }
        // "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"
        guard words.count >= 5 else { return nil }
        if let month = month(words[1]) {
            return seconds(year: words[4], month: month, day: words[2], clock: words[3])
        }
        guard let month = month(words[2]) else { return nil }
        return seconds(year: words[3], month: month, day: words[1], clock: words[4])
    }

    /// `Sun, 06 Nov 1994 08:49:37 GMT`, of seconds since 1970.
    public static func text(_ seconds: Int) -> String {
        var parts = tm()
        var time = time_t(seconds)
        gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { (number < 10 ? "0" : "") + String(number) }
        let year = String(Int(parts.tm_year) + 1900)
        let clock = [parts.tm_hour, parts.tm_min, parts.tm_sec].map(two).joined(separator: ":")
        let day = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][Int(parts.tm_wday)]
        return "\(day), \(two(parts.tm_mday)) \(months[Int(parts.tm_mon)]) "
            + String(repeating: "0", count: max(0, 4 - year.count)) + "\(year) \(clock) GMT"
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func month(_ name: Substring) -> Int? {
        months.firstIndex { $0 == name }.map { $0 + 1 }
    }

    private static func seconds(year: Substring, month: Int, day: Substring, clock: Substring) -> Int? {
        let time = clock.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard var year = Int(year), let day = Int(day), time.count == 3 else { return nil }
        // Two digits, as RFC 850 had them: this century's first seventy years, else the last one's.
        if (0..<70).contains(year) { year += 2000 } else if (70..<100).contains(year) { year += 1900 }
        return seconds(year: year, month: month, day: day, hour: time[0], minute: time[1], second: time[2])
    }

    /// Seconds since 1970 of a date and time in UTC; nil for what is none.
    public static func seconds(year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) -> Int? {
        guard (0...9999).contains(year), (1...12).contains(month), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        return days(year: year, month: month, day: day) * 86_400 + hour * 3_600 + minute * 60 + second
    }

    /// Days since 1970-01-01 in the Gregorian calendar, counting years from March so that the leap day is the last.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
