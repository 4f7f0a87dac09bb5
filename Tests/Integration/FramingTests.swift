import HaulHTTP
import HaulModel
import HaulWire
import Support
import Testing

/// What a client may do to the framing of its requests, and the bytes that come back: one answer, in the one shape.
@Suite(.server { $0.requestSeconds = 2 }) struct FramingTests {
    /// An error as README.md describes them: code, title, status, detail and hint.
    private func check(_ answer: RawAnswer, _ status: Int, _ name: String) throws {
        #expect(answer.status == status, "\(name)")
        #expect(answer.headers.all("Content-Type") == [ProblemDocument.contentType], "\(name)")
        let document = try JSONReader.value(answer.body)
        #expect(document.keys.isSuperset(of: ["code", "title", "status", "detail", "hint"]), "\(name): \(document)")
        #expect(document["status"]?.int == status, "\(name)")
        let title = document["title"]?.string ?? ""
        let detail = document["detail"]?.string ?? ""
        #expect(!title.isEmpty && !detail.hasPrefix(title), "\(name): \(document)")
        #expect(detail.first?.isUppercase == true && detail.hasSuffix("."), "\(name): \(document)")
    }

    private static let long = String(repeating: "x", count: 64 << 10)

    /// Heads and what follows them, behind `POST /jobs` and a good token.
    private static let posts: [(fields: String, status: Int)] = [
        ("Content-Length: -1\r\n\r\n", 400), ("Content-Length: 1x\r\n\r\n", 400), ("Content-Length: \r\n\r\n", 400),
        ("Content-Length: 99999999999999999999\r\n\r\n", 413), ("Content-Length: 9223372036854775807\r\n\r\n", 413),
        ("Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("Transfer-Encoding: gzip\r\n\r\n", 501), ("Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
        ("Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 413), ("Content-Length: 10\r\n\r\nabc", 408),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 408), ("X: \(long)\r\n\r\n", 431),
        ("nonsense\r\n\r\n", 400),
    ]

    @Test(arguments: posts) func framing(fields: String, status: Int) async throws {
        let server = try LiveServer.ofSuite
        let person = try await newPerson()
        let raw = try RawConnection(port: server.port)
        await raw.send(try Self.head("POST", "/jobs", person.user.token) + fields)
        let name = String(fields.prefix(60))
        try check(try await raw.onlyAnswer(), status, name)
        #expect(try await person.user.get("/jobs").text == "[]", "\(name)")
    }

    @Test func requestLines() async throws {
        let server = try LiveServer.ofSuite
        let target = String(repeating: "x", count: 1 << 20)
        for (line, status) in [
            ("GET /\(target) HTTP/1.1", 414), ("GET /?\(target) HTTP/1.1", 414), ("GET / HTTP/9.9", 505),
            ("GET /", 400), ("GET /%00 HTTP/1.1", 400),
        ] {
            let raw = try RawConnection(port: server.port)
            await raw.send("\(line)\r\nHost: h\r\n\r\n")
            try check(try await raw.onlyAnswer(), status, String(line.prefix(60)))
        }
        // No request line ever comes.
        let raw = try RawConnection(port: server.port)
        await raw.send("GET")
        try check(try await raw.onlyAnswer(), 408, "half a line")
        // Outside of every dialect.
        for (method, path, status) in [("GET", "/", 404), ("POST", "/nowhere", 404)] {
            let raw = try RawConnection(port: server.port)
            await raw.send("\(method) \(path) HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            try check(try await raw.onlyAnswer(), status, path)
        }
    }

    private static func head(_ method: String, _ path: String, _ token: String?) throws -> String {
        "\(method) \(WirePath.root)\(path) HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer \(try #require(token))\r\n"
    }
}
