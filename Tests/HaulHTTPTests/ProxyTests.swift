import Testing

@testable import HaulHTTP

/// Where a request came from, by the word of proxies that are trusted and of no others.
@Suite struct ProxyTests {
    private static let trusted = ["127.0.0.1", "10.0.0.0/8", "fd00::/8"]

    private func client(
        _ lines: [String], peer: String = "127.0.0.1", _ header: TrustedProxies.Header = .xForwardedFor
    ) throws -> String {
        var headers = HTTPHeaders()
        for line in lines { headers.append(header.rawValue, line) }
        return try #require(TrustedProxies(Self.trusted, header: header)).client(of: headers, peer: peer)
    }

    @Test(arguments: [
        ([], "127.0.0.1"), (["192.0.2.7"], "192.0.2.7"), (["192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        // What the client made up stands to the left.
        (["1.1.1.1, 192.0.2.7"], "192.0.2.7"), (["1.1.1.1", "192.0.2.7,10.1.2.3"], "192.0.2.7"),
        (["127.0.0.1, 192.0.2.7, 10.0.0.1"], "192.0.2.7"), (["10.0.0.9, 10.0.0.1"], "10.0.0.9"),
        (["192.0.2.7:4711"], "192.0.2.7"), (["2001:DB8:0::1"], "2001:db8::1"), (["[2001:db8::1]:80"], "2001:db8::1"),
        (["[2001:db8::1]"], "2001:db8::1"), (["::ffff:192.0.2.7"], "192.0.2.7"), (["\t192.0.2.7 "], "192.0.2.7"),
        (["192.0.2.7, fd00::1"], "192.0.2.7"),
        // What can't be read ends the way.
        (["192.0.2.7, nonsense"], "127.0.0.1"), (["192.0.2.7, , 10.0.0.1"], "10.0.0.1"), ([""], "127.0.0.1"),
        (["192.0.2.7, unknown, 10.0.0.1"], "10.0.0.1"), (["192.0.2.07"], "127.0.0.1"), (["192.0.2"], "127.0.0.1"),
        (["192.0.2.7:"], "127.0.0.1"), (["192.0.2.7:x"], "127.0.0.1"), (["[192.0.2.7]"], "127.0.0.1"),
        (["[2001:db8::1"], "127.0.0.1"), (["fe80::1%lo"], "127.0.0.1"), (["www.example.org"], "127.0.0.1"),
    ])
    func listed(lines: [String], expected: String) throws {
        #expect(try client(lines) == expected)
    }

    @Test(arguments: [
        (["for=192.0.2.7;proto=https;by=203.0.113.43"], "192.0.2.7"), (["For=\"[2001:db8::1]:4711\""], "2001:db8::1"),
        (["for=1.1.1.1, FOR=\"192.0.2.7:80\" ; proto=http", "for=10.0.0.1"], "192.0.2.7"),
        (["for=\"1.1.1.1, for=2.2.2.2\", for=192.0.2.7"], "192.0.2.7"), (["for=\"_x;for=1.1.1.1\""], "127.0.0.1"),
        (["for=unknown"], "127.0.0.1"), (["for=_hidden, for=10.0.0.1"], "10.0.0.1"), (["proto=https"], "127.0.0.1"),
        (["for=1.1.1.1;for=2.2.2.2"], "127.0.0.1"), (["for=\"1.1.1.1"], "127.0.0.1"), (["for=\""], "127.0.0.1"),
        (["for=\"1.1.1\\.1\""], "127.0.0.1"), ([""], "127.0.0.1"),
    ])
    func forwarded(lines: [String], expected: String) throws {
        #expect(try client(lines, .forwarded) == expected)
    }

    /// Of others nothing is believed; nor is the header that is not named.
    @Test func strangers() throws {
        for peer in ["192.0.2.1", "127.0.0.2", "11.0.0.1", "fe00::1", "", "::1"] {
            #expect(try client(["1.1.1.1"], peer: peer) == peer)
        }
        #expect(try client(["1.1.1.1"], peer: "::ffff:10.0.0.1") == "1.1.1.1")
        let both: HTTPHeaders = ["Forwarded": "for=1.1.1.1", "X-Forwarded-For": "2.2.2.2", "X-Real-IP": "3.3.3.3"]
        #expect(TrustedProxies(Self.trusted)?.client(of: both, peer: "127.0.0.1") == "2.2.2.2")
        #expect(TrustedProxies(Self.trusted, header: .forwarded)?.client(of: both, peer: "127.0.0.1") == "1.1.1.1")
        #expect(TrustedProxies([])?.client(of: both, peer: "127.0.0.1") == "127.0.0.1")
        let many = Array(repeating: "10.0.0.1", count: 1000).joined(separator: ",")
        #expect(try client(["1.1.1.1," + many]) == "10.0.0.1", "no way is that long")
    }

    @Test(arguments: [
        "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/-1", "10.0.0.0/", "/8", "10.0.0.0/8/8", "fd00::/129", "fd00::1/8",
        "localhost", "127.0.0.1\u{0}", "127.0.0.1\u{0}.org/32",
        "", "10.0.0.0/+8", "::ffff:10.0.0.0/8", "0.0.0.1/0",
    ])
    func noRange(text: String) { #expect(TrustedProxies([text]) == nil) }

    @Test(arguments: [
        ("0.0.0.0/0", "255.1.2.3", true), ("0.0.0.0/0", "::1", false), ("::/0", "1.2.3.4", true),
        ("10.1.2.0/23", "10.1.3.255", true),
        ("10.1.2.0/23", "10.1.4.0", false), ("10.1.2.3", "10.1.2.3", true), ("10.1.2.3/32", "10.1.2.2", false),
        ("::ffff:10.0.0.0/104", "10.9.9.9", true), ("2001:db8::/33", "2001:db8:7fff::1", true),
        ("2001:db8::/33", "2001:db8:8000::1", false),
    ])
    func ranges(range: String, address: String, isIn: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(try #require(NetworkAddress(address))) == isIn)
    }
}
