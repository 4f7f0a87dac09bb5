import Testing

@testable import HaulLogs

/// What a bucket's documents say.
struct XMLTextTests {
    @Test(arguments: ["", "a", "<&\">'", "&lt;", "&\u{301}", "\u{301}", "e\u{301}<", "\r\n"])
    func whatIsWrittenIsRead(_ text: String) {
        let document = "<A><Key>\(XMLText.escaped(text))</Key></A>"
        let found = XMLText.values("Key", in: Array(document.utf8))
        #expect(found.count == 1 && found[0].utf8.elementsEqual(text.utf8), "\(found)")
    }

    @Test func values() {
        let document = "<A><Key>a</Key><Other>b</Other><Key>&#34;&gt;&apos;&amp;lt;</Key><Key>cut off"
        #expect(XMLText.values("Key", in: Array(document.utf8)) == ["a", "\">'&lt;"])
    }
}
