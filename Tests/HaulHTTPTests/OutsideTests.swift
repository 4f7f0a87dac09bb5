import Testing

@testable import HaulHTTP

/// The server as clients see it, by the word of proxies that are trusted and of no others.
@Suite struct OutsideTests {
    private func base(
        _ headers: HTTPHeaders, peer: String = "127.0.0.1", isTLS: Bool = false,
        _ header: TrustedProxies.Header? = .xForwardedFor
    ) -> String {
        let proxies = header.flatMap { TrustedProxies(["127.0.0.1", "10.0.0.0/8"], header: $0) }
        return Outside(headers, isTLS: isTLS, proxies: proxies, peer: peer).base
    }

    @Test func withoutProxies() {
        #expect(base(["Host": "a.example:8080"], header: nil) == "http://a.example:8080")
        #expect(base(["host": "[::1]:80"], isTLS: true, header: nil) == "https://[::1]:80")
        #expect(base([:], header: nil) == "http://localhost")
        for bad in ["", "a b", "a/b", "a\"b", "<a>", "a@b", "a?b", "a#b", String(repeating: "a", count: 301)] {
            #expect(base(["Host": bad], header: nil) == "http://localhost", "\(bad)")
        }
    }

    private func base(_ headers: HTTPHeaders, isTLS: Bool = false, header: TrustedProxies.Header?) -> String {
        base(headers, isTLS: isTLS, header)
    }

    private let said: HTTPHeaders = [
        "Host": "inner:1", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "outer.example", "X-Forwarded-Prefix": "/haul/",
        "Forwarded": "for=192.0.2.7;proto=http;host=\"evil.example\"",
    ]

    @Test func trusted() {
        #expect(base(said) == "https://outer.example/haul")
        #expect(base(said, peer: "192.0.2.1") == "http://inner:1")
        #expect(base(said, header: nil) == "http://inner:1")
        // The other kind of header is as the client wrote it.
        #expect(base(said, .forwarded) == "http://evil.example")
        #expect(base(["Host": "inner", "Forwarded": "for=192.0.2.7"], isTLS: true, .forwarded) == "https://inner")
    }

    /// A list that proxies add to: what the outermost that is trusted says counts, not what stands before it.
    @Test func severalProxies() {
        var headers: HTTPHeaders = ["Host": "inner"]
        headers.append("X-Forwarded-For", "1.1.1.1, 192.0.2.7, 10.0.0.1")
        headers.append("X-Forwarded-Host", "evil.example, outer.example")
        headers.append("X-Forwarded-Host", "middle.example")
        headers.append("X-Forwarded-Proto", "https")
        #expect(base(headers) == "https://outer.example")
        headers.set("X-Forwarded-For", "192.0.2.7")
        #expect(base(headers) == "https://middle.example", "the nearest alone")
    }

    @Test(arguments: [
        ("X-Forwarded-Proto", "javascript"), ("X-Forwarded-Proto", "https://x"), ("X-Forwarded-Host", "a/b"),
        ("X-Forwarded-Host", ""), ("X-Forwarded-Host", "a\u{7f}"), ("X-Forwarded-Prefix", "haul"),
        ("X-Forwarded-Prefix", "//evil.example"), ("X-Forwarded-Prefix", "/a\"b"), ("X-Forwarded-Prefix", "/a?b"),
    ])
    func whatIsNone(name: String, value: String) {
        #expect(base(["Host": "inner", "X-Forwarded-For": "192.0.2.7", name: value]) == "http://inner")
    }
}
