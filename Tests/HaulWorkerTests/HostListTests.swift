import HaulHTTP
import HaulModel
import HaulWire
import Support
import Synchronization
import Testing

@testable import HaulWorker

/// Which hosts a worker may be made to talk to.
@Suite(.timeLimit(.minutes(5))) struct HostListTests {
    @Test(arguments: [
        ("a.example.org:22", true), ("A.Example.ORG.:22", true), ("a.example.org", true), ("a.example.org:2222", true),
        ("b.example.org:22", false), ("xa.example.org:22", false), ("a.example.org.evil.net:22", false),
        ("b.example.org:2222", true), ("b.example.org", false), ("x.data.example.org:1", true),
        ("x.y.data.example.org:1", true), ("data.example.org:1", false), ("xdata.example.org:1", false),
        ("10.0.0.1:22", true), ("10.0.0.10:22", false), ("[fe80::1]:22", true), ("fe80::1", false), ("", false),
        ("a.example.org:22@evil.net", false), ("evil.net#a.example.org", false), ("a.example.org:22/x", false),
        ("tight.net:443", false), ("w.tight.net:443", true), ("w.tight.net:80", false),
    ])
    func admits(_ endpoint: String, _ isAdmitted: Bool) throws {
        let list = try #require(
            HostList([
                "a.example.org", "b.example.org:2222", "*.data.example.org", "10.0.0.1", "[fe80::1]", "*.tight.net:443",
            ]))
        #expect(list.admits(endpoint) == isAdmitted)
    }

    @Test(arguments: ["*", "a.*.org", "*.*.org", "a b", "", "a:0", "*.", "http://a", "-a"])
    func noEntry(_ text: String) {
        #expect(HostList([text]) == nil)
    }

    /// An element at another host is refused before any backend starts: at its source, at its destination, between two
    /// protocols too, and where nobody says which host it is.
    @Test(arguments: [
        ("http", "http", "evil.net:80", "a.example.org:80", "http-1"),
        ("http", "http", "a.example.org:80", "evil.net:80", "http-2"),
        ("http", "fake", "evil.net:80", "", "http-1"), ("fake", "http", "", "evil.net:80", "http-2"),
        ("rclone", "fake", "a.example.org:80", "", "rclone-1"),
    ])
    func refusesBeforeItBegins(_ from: String, _ to: String, _ source: String, _ target: String, _ blamed: String)
        async throws
    {
        let bench = try Bench { $0.hosts = HostList(["a.example.org"]) }
        bench.server.hand(Claims.job(1, ["/a"], from: from, to: to, endpoints: (source, target)))
        try await eventually("it is reported") { !bench.server.outcomes.isEmpty }
        let outcome = try #require(bench.server.outcomes.first).outcome
        #expect(outcome.errorClass == "permission", "\(outcome)")
        #expect(outcome.reason?.hasPrefix("site \(blamed):") == true, "\(outcome)")
        await bench.close()
    }

    /// The list goes with the batch: where a server of it sends a backend elsewhere, that does not go.
    @Test(arguments: [true, false]) func keepsToItWhereAServerSendsItOn(_ hasList: Bool) async throws {
        let asked = Asked()
        let other = HTTPServer(configuration: HTTPServerConfiguration(), bodyLimit: { _ in 1 << 20 }) { request in
            asked.count.withLock { $0 += 1 }
            return HTTPResponse(status: 404)
        }
        try other.start()
        let address = "http://127.0.0.1:\(other.port)/there"
        let first = HTTPServer(configuration: HTTPServerConfiguration(), bodyLimit: { _ in 1 << 20 }) { request in
            HTTPResponse(status: 307, headers: ["Location": address])
        }
        try first.start()
        let endpoint = "127.0.0.1:\(first.port)"
        let bench = try Bench { if hasList { $0.hosts = HostList([endpoint]) } }
        bench.server.hand(Claims.job(1, ["/a"], type: .list, from: "http", to: nil, endpoints: (endpoint, "")))
        try await eventually("it is reported") { !bench.server.outcomes.isEmpty }
        let outcome = try #require(bench.server.outcomes.first).outcome
        #expect(outcome.errorClass == (hasList ? "permission" : "not_found"), "\(outcome)")
        #expect(outcome.reason?.contains("127.0.0.1:\(other.port) is none of the hosts") == hasList, "\(outcome)")
        #expect(asked.count.withLock { $0 > 0 } == !hasList)
        await bench.close()
        await first.stop(grace: 0)
        await other.stop(grace: 0)
    }

    private final class Asked: Sendable { let count = Mutex(0) }
}
