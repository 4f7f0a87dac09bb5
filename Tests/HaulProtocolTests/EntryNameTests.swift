import Foundation
import HaulModel
import Testing

@testable import HaulProtocol

struct EntryNameTests {
    @Test(arguments: ["a", "...", ".a", "a\\b", "ü", "e\u{301}", "日本語", "🚚", "\u{202e}x", "~", "\u{a0}", "\u{fffd}"])
    func whatAJobCanName(_ name: String) throws {
        #expect(TransferPath.problem("/\(name)") == nil)
        #expect(try EntryName.text(Array(name.utf8), in: "/d").utf8.elementsEqual(name.utf8))
    }

    @Test(arguments: [
        (Array("caf".utf8) + [0xe9] + Array(".txt".utf8), #"caf\xe9.txt"#, "is not UTF-8"),
        ([0xff, 0xfe], #"\xff\xfe"#, "is not UTF-8"), ([0xc3], #"\xc3"#, "is not UTF-8"),
        // A surrogate, and a slash in two bytes.
        ([0xed, 0xa0, 0x80], #"\xed\xa0\x80"#, "is not UTF-8"), ([0xc0, 0xaf], #"\xc0\xaf"#, "is not UTF-8"),
        (Array("new\nline".utf8), #"new\x0aline"#, "holds a control character"),
        (Array("\t".utf8), #"\x09"#, "holds a control character"), ([0x7f], #"\x7f"#, "holds a control character"),
        ([0], #"\x00"#, "holds a control character"),
        (Array("a\u{85}b\\".utf8), #"a\xc2\x85b\\"#, "holds a control character"),
        ([], "", "is no name of a directory entry"), (Array(".".utf8), ".", "is no name of a directory entry"),
        (Array("..".utf8), "..", "is no name of a directory entry"),
        (Array("../etc".utf8), "../etc", "is no name of a directory entry"),
    ])
    func whatNoJobCanName(_ bytes: [UInt8], _ shown: String, _ why: String) {
        let failure = #expect(throws: BackendFailure.self) { try EntryName.text(bytes, in: "/d") }
        #expect(failure?.errorClass == .invalid)
        #expect(
            failure?.reason.hasPrefix("/d holds the name \"\(shown)\", which \(why): ") == true, "\(failure as Any)")
    }

    @Test func aLongNameIsCut() {
        #expect(EntryName.escaped([UInt8](repeating: 0xff, count: 100_000)).utf8.count < 1300)
    }

    /// A backend of any make breaks the contract with such an entry.
    @Test func theWireTakesNoneOfThem() {
        for name in ["new\\nline", "\\u007f", "a/b", "..", ""] {
            let line = #"{"type":"entries","id":"1","directory":"/d","entries":[{"name":"\#(name)"}]}"#
            #expect(throws: WireError.self, "\(name)") { try BackendLine(line: Data(line.utf8)) }
        }
        let top = #"{"type":"entries","id":"1","directory":"/","entries":[{"name":"."}]}"#
        #expect(throws: Never.self) { try BackendLine(line: Data(top.utf8)) }
    }
}
