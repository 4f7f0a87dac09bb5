import HaulModel
import Testing

@Suite("JSON is read strictly, and errors say where")
struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONValue { try JSONReader.value(Array(text.utf8)) }

    static let goodTexts: [(String, JSONValue)] = [
        ("null", .null), ("true", true), ("-12", -12), ("9223372036854775807", .int(.max)),
        ("-9223372036854775809", .int(.min)), ("1.5", 1.5), ("1e2", 100),
        ("18446744073709551616", 18_446_744_073_709_551_616.0), (#""a\u00e9\n\"""#, "aé\n\""),
        (#""\ud83d\ude00""#, "😀"), ("[]", []), ("{}", [:]), (#" [1, {"a": [null]}] "#, [1, ["a": [.null]]]),
    ]

    @Test("values of every kind", arguments: goodTexts)
    func values(_ text: String, _ expected: JSONValue) throws {
        #expect(try read(text) == expected)
    }

    static let badTexts: [(String, Int, Int)] = [
        ("", 1, 1), ("{\n \"a\": x}", 2, 7), ("[1,]", 1, 4), ("{\"a\":1,}", 1, 8), ("nul", 1, 1), ("01", 1, 2),
        ("1e999", 1, 1), ("\"a", 1, 3), ("\"\u{1}\"", 1, 2), ("{} {}", 1, 4), ("{'a': 1}", 1, 2), ("\"\\q\"", 1, 3),
        ("\"\\ud800\"", 1, 8), ("-", 1, 2), ("1.", 1, 3), ("[1 2]", 1, 4), ("{\"a\" 1}", 1, 6), ("+1", 1, 1),
    ]

    @Test("what is no JSON", arguments: badTexts)
    func errors(_ text: String, line: Int, column: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try read(text) }
        #expect(error?.line == line)
        #expect(error?.column == column)
    }

    @Test("of a key that stands there twice the last counts, or none")
    func duplicates() throws {
        let text = #"{"a": 1, "b": {"c": 2, "\u0063": 3}}"#
        #expect(try read(text) == ["a": 1, "b": ["c": 3]])
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSONReader.value(Array(text.utf8), refusesDuplicates: true)
        }
        #expect(error?.column == 24)
        let nested = Array(#"[{"a": 1}, {"a": {"a": 2}}]"#.utf8)
        #expect(try JSONReader.value(nested, refusesDuplicates: true) == [["a": 1], ["a": ["a": 2]]])
    }

    @Test("as many values as there may be, and no more")
    func most() throws {
        let text = Array(#"{"a": [1, "x", {"b": null}]}"#.utf8)
        #expect(try JSONReader.value(text, most: 6) == ["a": [1, "x", ["b": .null]]])
        #expect(throws: JSONSyntaxError.self) { try JSONReader.value(text, most: 5) }
    }

    @Test("bytes that are no UTF-8, and depth without end, are errors and no crash")
    func hostile() {
        #expect(throws: JSONSyntaxError.self) { try JSONReader.value([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONSyntaxError.self) { try read(String(repeating: "[", count: 100_000)) }
        #expect(throws: JSONSyntaxError.self) { try read(String(repeating: "{\"a\":", count: 100_000)) }
    }
}
