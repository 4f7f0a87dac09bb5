/// A moment: milliseconds since 1970-01-01T00:00:00Z.
public struct Timestamp: Sendable, Hashable, Comparable {
    public var milliseconds: Int

    public init(milliseconds: Int) { self.milliseconds = milliseconds }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

    /// This moment and `seconds` more.
    public func adding(seconds: Double) -> Timestamp {
        Timestamp(milliseconds: milliseconds + Int((seconds * 1000).rounded()))
    }

    /// Seconds from `earlier` to this moment.
    public func seconds(since earlier: Timestamp) -> Double {
        Double(milliseconds - earlier.milliseconds) / 1000
    }

    /// UTC with milliseconds and `Z` (RFC 3339): `2012-03-21T13:35:00.000Z`.
    public var text: String {
        // Civil date from a day number, after Howard Hinnant's "chrono-compatible low-level date algorithms".
        let day = Int((Double(milliseconds) / 86_400_000).rounded(.down))
        let inDay = milliseconds - day * 86_400_000
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let second = inDay / 1000
        if (0...9999).contains(year) {
            return Self.text([
                (year, 4, "-"), (month, 2, "-"), (dayOfMonth, 2, "T"), (second / 3600, 2, ":"),
                (second / 60 % 60, 2, ":"),
                (second % 60, 2, "."), (inDay % 1000, 3, "Z"),
            ])
        }
        return "\(Self.pad(year, 4))-\(Self.pad(month, 2))-\(Self.pad(dayOfMonth, 2))"
            + "T\(Self.pad(second / 3600, 2)):\(Self.pad(second / 60 % 60, 2)):\(Self.pad(second % 60, 2))"
            + ".\(Self.pad(inDay % 1000, 3))Z"
    }

    /// Numbers of so many digits, each with what stands behind it. Answers have a time in every line: this has to be fast.
    private static func text(_ parts: [(number: Int, width: Int, behind: Unicode.Scalar)]) -> String {
        String(unsafeUninitializedCapacity: 24) { buffer in
            var place = 0
            for part in parts {
                var rest = part.number
                for digit in stride(from: place + part.width - 1, through: place, by: -1) {
                    buffer[digit] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                place += part.width
                buffer[place] = UInt8(ascii: part.behind)
                place += 1
            }
            return place
        }
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
