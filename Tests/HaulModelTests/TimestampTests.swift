import Foundation
import HaulModel
import Testing

@Suite("Times are UTC with milliseconds and Z")
struct TimestampTests {
    @Test(
        "known moments",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_332_336_900_000, "2012-03-21T13:35:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
        ])
    func text(_ milliseconds: Int, _ expected: String) {
        #expect(Timestamp(milliseconds: milliseconds).text == expected)
    }

    @Test(
        "as clients write them: seconds, zone and the time of day may be missing",
        arguments: [
            ("2012-03-21T13:35:00Z", "2012-03-21T13:35:00.000Z"), ("2012-03-21T13:35Z", "2012-03-21T13:35:00.000Z"),
            ("2012-03-21T13:35", "2012-03-21T13:35:00.000Z"), ("2012-03-21", "2012-03-21T00:00:00.000Z"),
            ("2012-03-21T13:35+02:00", "2012-03-21T11:35:00.000Z"), ("2012-03-21T13:35:07", "2012-03-21T13:35:07.000Z"),
            ("2012-03-21T13:35:07.250-01:30", "2012-03-21T15:05:07.250Z"), ("1332336900", "2012-03-21T13:35:00.000Z"),
        ])
    func reads(_ text: String, _ expected: String) {
        #expect(Timestamp(text: text)?.text == expected)
    }

    @Test(
        "what is no time",
        arguments: [
            "", "soon", "2012-03-21T", "2012-03-21T13", "2012-03-21T13:35Zulu", "2012-03-21T13:35:07x",
            "2012-03-21T13:35+02:00h", "2012-13-01", "12:00", "1e13",
        ])
    func refuses(_ text: String) { #expect(Timestamp(text: text) == nil) }

    @Test("the same as Foundation says, over a century")
    func sameAsFoundation() {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for day in stride(from: -20_000, through: 40_000, by: 37) {
            let milliseconds = day * 86_400_000 + day * 1237
            // Half a millisecond up, so that a binary fraction can't fall below what it stands for.
            let date = Date(timeIntervalSince1970: (Double(milliseconds) + 0.5) / 1000)
            #expect(Timestamp(milliseconds: milliseconds).text == date.formatted(style))
        }
    }
}
