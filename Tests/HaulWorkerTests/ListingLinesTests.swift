import Foundation
import HaulModel
import Testing

@testable import HaulWorker

@Suite struct ListingLinesTests {
    @Test(arguments: [
        "plain", "sp ace", "quo\"te", "back\\slash", "new\nline", "\u{0}\u{1}\u{1f}\u{7f}", "ü漢😀", "\u{2028}",
        "</script>", "",
    ])
    func areTheJSONThatTheServerReads(name: String) throws {
        let data = ListingLines.data(
            directory: "/d/\(name)", entries: [ListingEntry(name: name, size: Int.max, mode: 0o100644, modified: -5)])
        let lines = data.split(separator: UInt8(ascii: "\n"))
        #expect(lines.count == 1 && data.last == UInt8(ascii: "\n"))
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(lines[0]))
        #expect(
            value == [
                "dir": .string("/d/\(name)"), "name": .string(name), "st_size": .int(Int.max), "st_mode": 33188,
                "st_mtime": -5,
            ])
    }

    @Test func nameAnEmptyDirectory() {
        #expect(
            String(decoding: ListingLines.data(directory: "/e", entries: []), as: UTF8.self) == "{\"dir\":\"/e\"}\n")
    }
}
