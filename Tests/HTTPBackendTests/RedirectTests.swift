import Foundation
import HaulCurl
import HaulModel
import HaulProtocol
import Testing

/// Where a server may send a worker that has a list of hosts, and what goes along.
@Suite(.serialized, .timeLimit(.minutes(15))) struct RedirectTests {
    /// The two ways of a request.
    enum Way: String, CaseIterable, Sendable { case pool, stream }

    private struct Ask: CurlRequest {
        var server: String
        var path: String
        var way: Way
        var scheme = "http"
        var proxy: String?

        func call() -> CurlCall {
            var connection = CurlConnection()
            connection.bearer = "token"
            connection.proxy = proxy.map { "http://\($0)" }
            var call = CurlCall(
                method: "GET", url: "\(scheme)://\(server)\(path)", connection: connection, stallSeconds: 20)
            call.followsRedirects = true
            call.kept = way == .pool ? .memory(1 << 20) : .stream
            return call
        }
    }

    /// Asks on one of the ways; the content, and what the answer was.
    private func ask(_ ask: Ask, _ hosts: HostList?) async throws -> (body: String, answer: HTTPResponse) {
        if ask.way == .pool {
            let pool = CurlPool(roof: 1 << 20, hosts: hosts, connections: CurlConnections())
            let answer = try await pool.perform(ask)
            return (String(decoding: answer.body, as: UTF8.self), answer)
        }
        let pool = CurlPool(roof: 1 << 20, hosts: hosts, connections: CurlConnections())
        let stream = try CurlStream.start(ask, in: pool)
        var body = Data()
        while let piece = await stream.read() { body += piece }
        let answer = await stream.finish()
        return (String(decoding: body, as: UTF8.self), answer)
    }

    private func with(
        _ table: (_ other: RedirectingServer) -> [String: String],
        _ body: (_ first: RedirectingServer, _ other: RedirectingServer) async throws -> Void
    ) async throws {
        try await RedirectingServer.withTwo(["/back": "/of-other"], table, body)
    }

    private func list(_ hosts: String...) throws -> HostList { try #require(HostList(hosts)) }

    /// However the other place is written, nothing reaches it, not even a connection.
    @Test(arguments: Way.allCases) func notElsewhere(_ way: Way) async throws {
        try await with { other in
            let port = other.port
            return [
                "/away": "http://127.0.0.1:\(port)/f", "/chain": "/chain2", "/chain2": "/away",
                "/name": "http://localhost:\(port)/f", "/dot": "http://127.0.0.1.:\(port)/f",
                "/login": "http://127.0.0.1@localhost:\(port)/f", "/half": "//localhost:\(port)/f",
                "/number": "http://2130706433:\(port)/f", "/hex": "http://0x7f.1:\(port)/f",
                "/six": "http://[::ffff:127.0.0.1]:\(port)/f", "/wide": "http://１２７.0.0.1:\(port)/f",
                "/escaped": "http://%31%32%37.0.0.1:\(port)/f", "/back": "http:\\\\127.0.0.1:\(port)/f",
                "/query": "http://127.0.0.1:\(port)?.127.0.0.1", "/hash": "http://127.0.0.1:\(port)#@127.0.0.1/",
                "/three": "http:///127.0.0.1:\(port)/f", "/tab": "http://127.0.0.1:\(port)\t/f",
                "/upper": "HTTP://LOCALHOST:\(port)/f", "/tls": "https://127.0.0.1:\(port)/f",
                "/ftp": "ftp://127.0.0.1:\(port)/f", "/file": "file:///etc/passwd",
                "/dict": "dict://127.0.0.1:\(port)/",
                "/gopher": "gopher://127.0.0.1:\(port)/", "/data": "data:text/plain,x",
            ]
        } _: { first, other in
            let hosts = try list(first.endpoint, "127.0.0.1.example.org", "*.0.0.1:1")
            // What libcurl takes for a path of the first server.
            _ = try await ask(Ask(server: first.endpoint, path: "/back", way: way), hosts)
            let schemes: Set = ["/ftp", "/file", "/dict", "/gopher", "/data"]
            let paths = [
                "/away", "/chain", "/name", "/dot", "/login", "/half", "/number", "/hex", "/six", "/wide", "/escaped",
                "/query", "/hash", "/three", "/tab", "/upper", "/tls",
            ]
            for path in paths + schemes {
                let (body, answer) = try await ask(Ask(server: first.endpoint, path: path, way: way), hosts)
                let failure = answer.failure("GET \(path)")
                #expect(body == "" && !answer.isSuccess, "\(path): \(answer)")
                #expect(answer.status == 302 && [.permission, .invalid].contains(failure.errorClass), "\(failure)")
                if ["/away", "/chain", "/number", "/tls", "/query"].contains(path) {
                    #expect(failure.errorClass == .permission)
                    #expect(
                        failure.reason.contains("127.0.0.1:\(other.port) is none of the hosts")
                            && failure.reason.contains("`hosts`"), "\(failure)")
                }
                if schemes.contains(path) { #expect(failure.errorClass == .invalid, "\(failure)") }
            }
            // A place that was never allowed is not asked at all.
            await #expect(throws: BackendFailure.self) {
                try await ask(Ask(server: other.endpoint, path: "/f", way: way), hosts)
            }
            await #expect(throws: BackendFailure.self) {
                try await ask(Ask(server: first.endpoint, path: "/f", way: way, scheme: "ftp"), hosts)
            }
            #expect(try await other.seen() == [])
        }
    }

    /// Where it may go it goes, and shows its login to the first server alone.
    @Test(arguments: Way.allCases, [true, false]) func whereItMay(_ way: Way, _ isListed: Bool) async throws {
        try await with { other in
            [
                "/away": "http://127.0.0.1:\(other.port)/f", "/chain": "near",
                "/near": "http://localhost:\(other.port)/back",
                "/self": "/f x", "/login": "http://user:pass@127.0.0.1:\(other.port)/l",
            ]
        } _: { first, other in
            let hosts = isListed ? try list(first.endpoint, "127.0.0.1:\(other.port)", "localhost") : nil
            for path in ["/away", "/chain", "/login"] {
                let (body, answer) = try await ask(Ask(server: first.endpoint, path: path, way: way), hosts)
                #expect(answer.isSuccess && body == "of \(other.port)\n" && !answer.repeated, "\(path): \(answer)")
            }
            let near = try await ask(Ask(server: first.endpoint, path: "/self", way: way), hosts)
            #expect(near.body == "of \(first.port)\n" && near.answer.finalURL.hasSuffix("/f%20x"))
            let asked = { (lines: [String]) in lines.filter { $0 != "connection" } }
            #expect(asked(try await other.seen()) == ["GET /f -", "GET /back -", "GET /of-other -", "GET /l -"])
            #expect(asked(try await first.seen()).contains("GET /f%20x Bearer token"))
        }
    }

    /// One that goes through a proxy is told by its name; the proxy itself is the worker's own affair.
    @Test(arguments: Way.allCases) func aProxyIsNoWayAround(_ way: Way) async throws {
        try await with { _ in
            ["http://a.example.org/away": "http://b.example.org/f"]
        } _: { first, _ in
            let asked = Ask(server: "a.example.org", path: "/away", way: way, proxy: first.endpoint)
            let (_, answer) = try await ask(asked, try list("a.example.org"))
            #expect(answer.failure("GET").reason.contains("b.example.org:80 is none of the hosts"), "\(answer)")
            #expect(try await first.seen().filter { $0.contains("b.example.org") } == [])
            #expect(try await ask(asked, try list("*.example.org")).answer.isSuccess)
        }
    }

    @Test(arguments: Way.allCases) func notForEver(_ way: Way) async throws {
        try await with { _ in
            ["/loop": "/loop"]
        } _: { first, _ in
            let (body, answer) = try await ask(Ask(server: first.endpoint, path: "/loop", way: way), nil)
            #expect(body == "" && answer.errorClass == .invalid && answer.message == "more than 5 redirects")
            #expect(try await first.seen().filter { $0.hasPrefix("GET") }.count == 6)
        }
    }
}
