import Foundation
import HaulModel
import Testing

/// What the writer writes is what Foundation's encoder does, byte for byte.
@Suite struct JSONWriterTests {
    private static let values: [JSONValue] = [
        .null, true, false, 0, -1, 7, 10, .int(Int.max), .int(Int.min), 1.5, -0.25, 1e20, 1e-7, "", "plain", "a/b",
        "quote \" backslash \\ slash /", "\u{0}\u{1}\u{8}\t\n\u{B}\u{C}\r\u{1F}\u{7F}", "grün 日本 \u{1F600}\u{2028}",
        [], [1, "two", [], [:], .null], [:], ["b": 1, "a": [1, 2], "ab": ["x": "y", "\"": .null]],
    ]

    @Test(arguments: values) func sameAsTheEncoder(value: JSONValue) throws {
        var writer = JSONWriter()
        writer.value(value)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    @Test func objectsAndArrays() {
        var writer = JSONWriter()
        writer.array { writer in
            writer.object { writer in
                writer.key("a")
                writer.value(1)
                writer.key("b")
                writer.null()
                writer.key("c")
                writer.array { _ in }
            }
            writer.object { _ in }
            writer.value("x")
            writer.value(false)
        }
        #expect(String(decoding: writer.bytes, as: UTF8.self) == "[{\"a\":1,\"b\":null,\"c\":[]},{},\"x\",false]")
    }
}
