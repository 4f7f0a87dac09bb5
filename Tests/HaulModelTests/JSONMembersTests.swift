import HaulModel
import Testing

@Suite("Members of objects stay as they were written")
struct JSONMembersTests {
    private func text(_ json: String) throws -> String? {
        try JSONMembers(Array(json.utf8)).map { String(decoding: $0.json, as: UTF8.self) }
    }

    @Test("numbers keep their digits, blanks go, strings are written anew")
    func asWritten() throws {
        let json = #" { "b" : [ 12345678901234567890123 , -0.10, 1.0e+2, {"x": 1.0} ] , "a":"\u00e9\u0000\/" } "#
        #expect(try text(json) == "{\"a\":\"\u{e9}\\u0000/\",\"b\":[12345678901234567890123,-0.10,1.0e+2,{\"x\":1.0}]}")
        #expect(try text("{}") == "{}" && text("{\"\":[ ]}") == "{\"\":[]}" && text("[1]") == nil && text("") == nil)
    }

    @Test("names are told apart by their bytes, at every level")
    func names() throws {
        let both = "{\"e\u{301}\":1,\"\u{e9}\":{\"e\u{301}\":2,\"\u{e9}\":3}}"
        #expect(try text(both).map { Array($0.utf8) } == Array(both.utf8))
        var members = try #require(try JSONMembers(Array(both.utf8)))
        members["\u{e9}"] = nil
        #expect(members.count == 1 && members["e\u{301}"] == Array("1".utf8))
        members.merge(["e\u{301}": 4, "\u{e9}": 5])
        #expect(members.count == 2 && members.json.count == members.size)
    }

    @Test(
        "what is no JSON, has a name twice, or too much",
        arguments: [
            "{\"a\":NaN}", "{\"a\":Infinity}", "{\"a\":1e999}", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"\\u0062\":2}}",
            "{\"a\":1,}", "{\"a\":1 \"b\":2}", "{\"a\" 1}", "{a:1}", "{\"a\":1} x", "{\"a\":01}", "{\"a\":[1,]}", "{",
            "{\"a\"",
        ])
    func errors(_ json: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONMembers(Array(json.utf8)) }
    }

    @Test("values are counted wherever they stand, and levels are bounded")
    func bounds() throws {
        let four = Array("{\"a\":[1,{\"b\":2}]}".utf8)
        #expect(try JSONMembers(four, most: 4)?.count == 1)
        #expect(throws: JSONSyntaxError.self) { try JSONMembers(four, most: 3) }
        #expect(throws: JSONSyntaxError.self) { try JSONReader.value(Array("[1,2]".utf8), most: 2) }
        for open in ["[", "{\"a\":"] {
            let deep = Array(("{\"a\":" + String(repeating: open, count: 100_000)).utf8)
            #expect(throws: JSONSyntaxError.self) { try JSONMembers(deep) }
        }
    }
}
