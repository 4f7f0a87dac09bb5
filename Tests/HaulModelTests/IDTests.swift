import HaulModel
import Testing

@Suite("Ids as texts") struct IDTests {
    @Test("digits alone, as they are written", arguments: [0, 1, 9, 10, 233_874, Int.max])
    func numbers(_ number: Int) {
        #expect(Int(id: "\(number)") == number)
        #expect(Int(id: "x\(number)".dropFirst()) == number)
    }

    @Test(
        "anything else names nothing",
        arguments: [
            "", "+5", "-5", "-0", "05", "005", "00", " 5", "5 ", "5\n", "5.0", "5e0", "0x5", "1_0", "1,0", "\u{665}",
            "\u{FF15}", "5\u{301}", "9223372036854775808", "x",
        ])
    func others(_ text: String) {
        #expect(Int(id: text) == nil)
    }

    @Test("a site has one id and one name")
    func sites() {
        let sites = SiteDirectory([Site(id: 5, name: "a", protocolName: .ssh, endpoints: [])])
        for text in ["5", "a"] { #expect(sites.site(text)?.id == 5) }
        for text in ["+5", "05", "-5", "A", ""] { #expect(sites.site(text) == nil, "\(text)") }
    }
}
