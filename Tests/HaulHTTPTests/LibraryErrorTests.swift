import HaulHTTP
import Support
import Testing

/// What libmicrohttpd refuses by itself is answered in the server's own words, once.
@Suite struct LibraryErrorTests {
    static let post = "POST / HTTP/1.1\r\nHost: h\r\n"
    static let long = String(repeating: "y", count: 65536)

    static let rubbish: [(name: String, bytes: String, status: Int)] = [
        ("negative length", post + "Content-Length: -1\r\n\r\n", 400),
        ("negative length, body", post + "Content-Length: -5\r\n\r\nhello", 400),
        ("signed length", post + "Content-Length: +5\r\n\r\nhello", 400),
        ("garbage length", post + "Content-Length: 1x\r\n\r\n", 400),
        ("hexadecimal length", post + "Content-Length: 0x5\r\n\r\nhello", 400),
        ("no length", post + "Content-Length: \r\n\r\n", 400),
        ("list of lengths", post + "Content-Length: 5, 5\r\n\r\nhello", 400),
        ("huge length", post + "Content-Length: 99999999999999999999\r\n\r\n", 413),
        ("largest length", post + "Content-Length: 18446744073709551615\r\n\r\n", 413),
        ("negative length, expecting", post + "Expect: 100-continue\r\nContent-Length: -1\r\n\r\n", 400),
        ("two lengths", post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400),
        ("two lengths, one bad", post + "Content-Length: 3\r\nContent-Length: -4\r\n\r\nabcd", 400),
        ("length and chunks", post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("bad length and chunks", post + "Content-Length: -3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("gzip", post + "Transfer-Encoding: gzip\r\n\r\nzz\r\n", 501),
        ("blank before a colon", post + "Content-Length : 3\r\n\r\nabc", 400),
        ("bad chunk", post + "Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n", 400),
        ("negative chunk", post + "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n", 400),
        ("bad second chunk", post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcXX5\r\n", 400),
        ("huge chunk", post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n", 413),
        ("endless chunk line", post + "Transfer-Encoding: chunked\r\n\r\n3;\(long)\r\nabc\r\n", 400),
        ("bad trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n\r\n", 400),
        ("header of 64 KiB", "GET / HTTP/1.1\r\nHost: h\r\nX: \(long)\r\n\r\n", 431),
        ("many lines", "GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 20000) + "\r\n", 431),
        (
            "many cookies",
            "GET / HTTP/1.1\r\nHost: h\r\nCookie: " + String(repeating: "a=b; ", count: 5000) + "\r\n\r\n", 431
        ),
        ("target of 1 MiB", "GET /" + String(repeating: "y", count: 1 << 20) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414),
        ("query of 1 MiB", "GET /?" + String(repeating: "y", count: 1 << 20) + " HTTP/1.1\r\nHost: h\r\n\r\n", 414),
        ("method of 64 KiB", long + " / HTTP/1.1\r\nHost: h\r\n\r\n", 414),
        ("NULs", String(repeating: "\u{0}", count: 70_000), 414),
        ("HTTP/9.9", "GET / HTTP/9.9\r\n\r\n", 505), ("HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", 505),
        ("no version", "GET /\r\n\r\n", 400), ("other version", "GET / HTPP/1.1\r\nHost: h\r\n\r\n", 400),
        ("no colon", "GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", 400),
    ]

    @Test(arguments: rubbish) func isAnsweredOnceInOurWords(name: String, bytes: String, status: Int) async throws {
        let handled = Counter()
        let server = HTTPServer(configuration: HTTPServerConfiguration(), bodyLimit: { _ in 1000 }) { _ in
            handled.add()
            return HTTPResponse()
        } errorBody: { status, reason, _ in
            HTTPResponse(status: status, text: "\(status): \(reason)", contentType: "application/problem+json")
        }
        try server.start()
        let raw = try RawConnection(port: server.port)
        await raw.send(bytes)
        do {
            let answer = try await raw.onlyAnswer()
            #expect(answer.status == status, "\(name)")
            #expect(answer.headers.all("Content-Type") == ["application/problem+json"], "\(name)")
            #expect(String(decoding: answer.body, as: UTF8.self).hasPrefix("\(status): "), "\(name)")
            #expect(answer.headers["Connection"] == "close", "\(name)")
        } catch { Issue.record("\(name): \(error)") }
        #expect(handled.count == 0)
        #expect(try await HTTPClient().send(HTTPClientRequest(url: server.url("/"))).status == 200)
        await server.stop(grace: 0)
    }

    /// Before they were dropped, libmicrohttpd's own copies of thousands of pairs left it out of memory, and hanging.
    @Test func aQueryOfManyPairs() async throws {
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            HTTPResponse(text: "\(request.query.count) \(request.query("last") ?? "")")
        }
        try await withServer({ _ in }, handler) { server in
            let raw = try RawConnection(port: server.port)
            let pairs = String(repeating: "a&", count: 12_000) + "last=1"
            await raw.send("GET /?\(pairs) HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            #expect(try await raw.onlyAnswer(seconds: 5).body == Array("12001 1".utf8))
        }
    }

    /// Over TLS, also where libmicrohttpd would say it twice.
    @Test func overTLS() async throws {
        let certificate = try await Certificate()
        var configuration = HTTPServerConfiguration()
        configuration.tls = certificate.tls
        let server = HTTPServer(configuration: configuration, bodyLimit: { _ in 1000 }) { _ in HTTPResponse() }
        try server.start()
        let client = certificate.client()
        let cases: [(HTTPHeaders, Int, String)] = [
            (["X": Self.long], 431, "the header is longer than 32768 bytes"),
            (["Content-Length": "1x"], 400, "a Content-Length that is no number"),
            (["Cookie": String(repeating: "a=b; ", count: 5000)], 431, "the header is longer than 32768 bytes"),
        ]
        for (headers, status, text) in cases {
            let url = "https://127.0.0.1:\(server.port)/"
            let answer = try await client.send(HTTPClientRequest(url: url, headers: headers))
            #expect(answer.status == status)
            #expect(String(decoding: answer.body, as: UTF8.self) == text + "\n")
        }
        await client.close()
        await server.stop(grace: 0)
    }
}
