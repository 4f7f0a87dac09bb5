import Testing

@testable import HaulHTTP

/// Bodies of forms, also those that are none.
@Suite struct FormTests {
    private static let pairs = "application/x-www-form-urlencoded"

    private func fields(_ body: String, _ type: String? = pairs) throws -> [String] {
        try fields(Array(body.utf8), type)
    }

    private func fields(_ body: [UInt8], _ type: String?) throws -> [String] {
        var headers = HTTPHeaders()
        headers["Content-Type"] = type
        let request = HTTPRequest(method: "POST", target: "/", headers: headers, body: body)
        return try FormFields(request).fields.map { "\($0.name)=\($0.value)" }
    }

    @Test func pairs() throws {
        #expect(try fields("") == [] && fields("", "image/png") == [])
        #expect(try fields("a=1&b=x+y%20%26&&a=2&c&=d") == ["a=1", "b=x y &", "a=2", "c=", "=d"])
        #expect(try fields("%c3%A4=%E2%82%ac", Self.pairs + "; charset=utf-8") == ["ä=€"])
        #expect(try fields("a=1", nil) == ["a=1"])
        for bad in ["a=%", "a=%1", "a=%zz", "a=%ff", "%c3=1", "a=%+1"] {
            #expect(throws: FormProblem.self, "\(bad)") { try fields(bad) }
        }
        #expect(throws: FormProblem.unknownType("application/json")) { try fields("{}", "application/json") }
        let many = (0..<1000).map { "a\($0)=1" }.joined(separator: "&")
        #expect(try fields(many).count == 1000)
        #expect(throws: FormProblem.self) { try fields(many + "&b=1") }
        // The rest of one that has too many is not even decoded.
        let long = many + String(repeating: "&%", count: 1 << 20)
        #expect(throws: FormProblem.malformed("it has more than 1000 fields")) { try fields(long) }
    }

    private func part(_ name: String, _ content: String, _ boundary: String = "x") -> String {
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(content)\r\n"
    }

    @Test func multipart() throws {
        let type = "multipart/form-data; boundary=x"
        #expect(try fields(part("a", "1") + part("b", "") + "--x--\r\n", type) == ["a=1", "b="])
        #expect(try fields("before\r\n" + part("a", "1\r\n--y\r\n") + "--x--after", type) == ["a=1\r\n--y\r\n"])
        #expect(try fields(part("ä\\\"", "ü") + "--x--", type) == ["ä\"=ü"])
        #expect(
            try fields(part("a", "1", "'a b?'") + "--'a b?'--", "Multipart/Form-Data; charset=x; BOUNDARY=\"'a b?'\"")
                == ["a=1"])
        let upload = "--x \t\r\ncontent-type: text/plain\r\nContent-Disposition: form-data; filename=f; name=up\r\n\r\n"
        #expect(try fields(upload + "\0\r\n\r\n\r\n--x--", type) == ["up=\0\r\n\r\n"])
    }

    @Test(arguments: [
        "", "--x", "--x\r\n", "--x--", "--x\r\n\r\n1\r\n--x--",
        "--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--",
        "--x\r\nContent-Disposition: form-data; name=a\r\n\r\n1",
        "--xContent-Disposition: form-data; name=a\r\n\r\n1\r\n--x--",
        "--x\r\nContent-Disposition: form-data; name=a\r\n1\r\n--x--", "no boundary",
    ])
    func brokenMultipart(body: String) throws {
        // What ends before its first part has none.
        if body.isEmpty || body == "--x--" {
            #expect(try fields(body, "multipart/form-data; boundary=x") == [])
        } else {
            #expect(throws: FormProblem.self) { try fields(body, "multipart/form-data; boundary=x") }
        }
        for type in ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary"] {
            if !body.isEmpty { #expect(throws: FormProblem.self) { try fields(body, type) } }
        }
    }

    /// Whatever is cut or changed, it ends, and soon.
    @Test func anything() throws {
        let whole = Array((part("a", "1") + part("b", "2") + "--x--\r\n").utf8)
        for length in 0..<whole.count { _ = try? fields(Array(whole[..<length]), "multipart/form-data; boundary=x") }
        for place in whole.indices {
            var body = whole
            body[place] = 0xFF
            _ = try? fields(body, "multipart/form-data; boundary=x")
        }
        let dashes = Array("x\r\n".utf8) + [UInt8](repeating: UInt8(ascii: "-"), count: 1 << 20)
        let boundary = String(repeating: "-", count: 69) + "x"
        #expect(throws: FormProblem.self) { try fields(dashes, "multipart/form-data; boundary=\(boundary)") }
    }
}
