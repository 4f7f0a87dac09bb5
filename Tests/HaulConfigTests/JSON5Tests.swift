import HaulConfig
import Testing

/// The syntax of JSON5, and what is said of what is not.
@Suite struct JSON5Tests {
    @Test(arguments: [
        ("\"a\\\n b\"", "a b"), ("'\\'\"'", "'\""), ("'\\x41\\u00e9\\ud83d\\ude00'", "Aé😀"),
        ("'\\0\\v\\q'", "\0\u{B}q"), ("\u{FEFF} 'x' // end", "x"), ("'a\u{2028}b'", "a\u{2028}b"),
        ("/**/'x'/* * / */\u{A0}", "x"), ("'😀'", "😀"),
    ])
    func readsStrings(text: String, value: String) throws {
        #expect(try ConfigFile.parse(String.self, text: text, name: "c") == value)
    }

    @Test(arguments: [
        ("1", 1.0), ("+1", 1), ("-1.5e3", -1500), (".5", 0.5), ("5.", 5), ("5.e1", 50), ("0x10", 16), ("-0XfF", -255),
        ("1E-2", 0.01), ("0", 0),
    ])
    func readsNumbers(text: String, value: Double) throws {
        #expect(try ConfigFile.parse(Double.self, text: text, name: "c") == value)
    }

    @Test func keepsIntegersExact() throws {
        #expect(try ConfigFile.parse(Int.self, text: "9223372036854775807", name: "c") == .max)
        #expect(try ConfigFile.parse(Int.self, text: "-9223372036854775808", name: "c") == .min)
        #expect(try ConfigFile.parse(UInt64.self, text: "18446744073709551615", name: "c") == .max)
        #expect(try ConfigFile.parse(Int.self, text: "2e3", name: "c") == 2000)
        #expect(throws: ConfigError.self) { try ConfigFile.parse(Int.self, text: "9223372036854775808", name: "c") }
        #expect(throws: ConfigError.self) { try ConfigFile.parse(Int8.self, text: "128", name: "c") }
    }

    @Test(arguments: [
        ("", "c:1:1: the file is empty, expected a value"),
        ("// nothing\n", "c:2:1: the file is empty, expected a value"),
        ("{a: 1\n b: 2}", "c:2:2: expected a comma or }, found b"),
        ("{a: 1,\r\n\r\n a: 2}", "c:3:2: the key a stands here a second time"),
        ("{a 1}", "c:1:4: expected a colon after the key a, found 1"),
        ("{a: [1, 2}", "c:1:10: expected a comma or ], found }"),
        ("{a: [1,,2]}", "c:1:8: expected a value, found ,"),
        ("{\n a: {b: 1,\n", "c:2:5: the file ends before the } that belongs to this {"),
        ("{,}", "c:1:2: expected a key, found ,"),
        ("{a: 'x\n'}", "c:1:5: this string has no closing ' on its line"),
        ("'x", "c:1:1: this string has no closing '"),
        ("'x\\", "c:1:3: the file ends in a string"),
        ("'\\ud800'", "c:1:2: half of a surrogate pair"),
        ("'\\u12'", "c:1:2: expected 4 hexadecimal digits after the backslash"),
        ("'\\1'", "c:1:2: a backslash and a digit mean nothing here"),
        ("{a: http}", "c:1:5: expected a value, found http; a string stands in quotes"),
        ("{a: 007}", "c:1:5: 007 is no number"),
        ("{a: 10s}", "c:1:5: 10s is no number"),
        ("{a: 1.2.3}", "c:1:5: 1.2.3 is no number"),
        ("{a: -}", "c:1:5: - is no number"),
        ("{a: 1e999}", "c:1:5: 1e999 is no number"),
        ("{a: 0xG}", "c:1:5: 0xG is no number"),
        ("{a: 1} {", "c:1:8: expected the end of the file, found {"),
        ("/* never", "c:1:1: this comment has no end"),
        ("{a: /x}", "c:1:5: expected a value or a comment, found /"),
        ("{a: \u{1}}", "c:1:5: expected a value, found the character U+1"),
    ])
    func saysWhereTheSyntaxIsWrong(text: String, error: String) {
        let thrown = #expect(throws: ConfigError.self) {
            try ConfigFile.parse([String: Int].self, text: text, name: "c")
        }
        #expect(thrown?.description == error)
    }

    @Test func refusesAbsurdDepth() {
        let thrown = #expect(throws: ConfigError.self) {
            try ConfigFile.parse([Int].self, text: String(repeating: "[", count: 100_000), name: "c")
        }
        #expect(thrown?.column == 65)
    }
}
