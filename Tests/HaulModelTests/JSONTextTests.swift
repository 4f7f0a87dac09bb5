import Foundation
import HaulModel
import Testing

struct JSONTests {
    private func encode(_ pieces: [[UInt8]]) throws -> String {
        var encoder = JSONStringEncoder()
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        for piece in pieces { bytes += encoder.encode(piece) }
        bytes += encoder.finish() + [UInt8(ascii: "\"")]
        return try JSONDecoder().decode(String.self, from: Data(bytes))
    }

    @Test func everyCharacterComesBack() throws {
        let text =
            String(String.UnicodeScalarView((0..<0xD800).compactMap { Unicode.Scalar($0) })) + "\u{E000}\u{10FFFF}🙂"
        #expect(try encode([Array(text.utf8)]).unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    /// Against the standard library's own repair, for every split.
    @Test(
        arguments: [
            [0x61, 0xC3, 0xA9, 0x62], [0xF0, 0x9F, 0x99, 0x82], [0xFF, 0x41], [0xC3], [0xE2, 0x82], [0xF0, 0x9F, 0x99],
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE0, 0x80, 0x80], [0xF0, 0x80, 0x41],
            [0xE2, 0x82, 0xE2, 0x82, 0xAC], [0x80, 0xBF], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xC3, 0x22, 0x5C, 0x00], [],
        ] as [[UInt8]])
    func brokenSequencesAreReplacedWhereverTheyAreSplit(_ bytes: [UInt8]) throws {
        let expected = String(decoding: bytes, as: UTF8.self)
        for split in 0...bytes.count {
            #expect(try encode([Array(bytes[..<split]), [], Array(bytes[split...])]) == expected)
        }
        #expect(try encode(bytes.map { [$0] }) == expected)
    }

    @Test func randomBytesAreAlwaysJSON() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let cut = Int.random(in: 0...200, using: &generator)
            let decoded = try encode([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(decoded.unicodeScalars.elementsEqual(String(decoding: bytes, as: UTF8.self).unicodeScalars))
        }
    }

    private let lines = [
        ListingLine(directory: "dir", entry: ListingEntry(name: "file\"1", kind: .file, size: 7, modified: 9)),
        ListingLine(directory: "dir", entry: ListingEntry(name: "sub", kind: .directory)),
        ListingLine(directory: "dir/sub", entry: nil),
        ListingLine(directory: "dir/e\u{301}", entry: ListingEntry(name: "x", kind: .link)),
    ]

    private func document(_ form: ListingJSON.Form, piece: Int) -> String {
        var json = ListingJSON(form: form)
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: lines.count, by: piece) {
            bytes += json.encode(Array(lines[start..<min(start + piece, lines.count)]))
        }
        return String(decoding: bytes + json.finish(), as: UTF8.self)
    }

    @Test(arguments: [1, 2, 3, 4]) func aListingIsOneObjectWhateverItsPieces(_ piece: Int) {
        #expect(
            document(.short, piece: piece)
                == #"{"dir":["file\"1","sub/"],"dir/sub":[],"dir/e"# + "\u{301}" + #"":["x"]}"#)
        #expect(
            document(.long, piece: piece)
                == #"{"dir":[{"name":"file\"1","type":"file","size":7,"mode":33188,"mtime":9},"#
                + #"{"name":"sub","type":"directory","size":0,"mode":16877,"mtime":0}],"dir/sub":[],"dir/e"#
                + "\u{301}" + #"":[{"name":"x","type":"link","size":0,"mode":41380,"mtime":0}]}"#)
    }

    @Test func noLineIsAnEmptyObject() {
        var json = ListingJSON(form: .short)
        #expect(json.encode([]).isEmpty)
        #expect(json.finish() == Array("{}".utf8))
    }
}
