import Foundation
import HaulAuth
import HaulHTTP
import HaulModel
import Support
import Testing

/// What the servers of a database ask each other is done for them alone, once.
@Suite(.server(), .timeLimit(.minutes(6))) struct ServerPassTests {
    private struct Asker {
        let server: LiveServer
        let pass: ServerPass
        var target: KnownServer

        init(key: [UInt8]? = nil, secondsAhead: Double = 0) async throws {
            server = try LiveServer.ofSuite
            let run = try await OutsideSQL.text(server, "SELECT run FROM servers WHERE id = 1")
            target = KnownServer(id: 1, url: server.url, run: run, seen: Timestamp(milliseconds: 0))
            let hex = server.store.hasPrefix("postgresql:") ? "encode(value, 'hex')" : "hex(value)"
            let digits = Array(
                try await OutsideSQL.text(server, "SELECT \(hex) FROM settings WHERE name = 'server_key'"))
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap { place in
                UInt8(String(digits[place..<place + 2]), radix: 16)
            }
            #expect(bytes.count == 32)
            let secret = key ?? bytes
            pass = ServerPass(key: secret, own: KnownServer(id: 2, url: "", run: "r", seen: target.seen)) {
                Timestamp(milliseconds: Int((Date().timeIntervalSince1970 + secondsAhead) * 1000))
            }
        }

        func header(
            _ method: String = "POST", _ path: String = "/servers/v1/losses",
            _ query: [(name: String, value: String)] = [], _ body: [UInt8] = Self.nothing
        ) -> String { pass.header(for: target, method: method, path: path, query: query, body: body) }

        func send(
            _ header: String?, _ method: String = "POST", _ target: String = "/servers/v1/losses",
            _ body: [UInt8] = Self.nothing
        ) async throws -> Int {
            var headers: HTTPHeaders = [:]
            headers["Authorization"] = header
            return try await server.client.send(
                HTTPClientRequest(method: method, url: server.url + target, headers: headers, body: body)
            ).status
        }

        static let nothing = Array(#"{"attempts":[],"reason":"r","unheld":false}"#.utf8)
    }

    @Test func goodOnceAndNeverAgain() async throws {
        let asker = try await Asker()
        let header = asker.header()
        #expect(try await asker.send(header) == 200)
        #expect(try await asker.send(header) == 401, "replayed")
        #expect(try await asker.send(asker.header()) == 200)
    }

    @Test func forAnotherRequest() async throws {
        let asker = try await Asker()
        let file = "/servers/v1/files/\(String(repeating: "a", count: 32))/attempts-1.log"
        #expect(try await asker.send(asker.header("GET", file, [], []), "GET", file, []) == 200)
        #expect(try await asker.send(asker.header("GET", file, [], []), "GET", file + "?from=0&count=1", []) == 401)
        #expect(try await asker.send(asker.header("GET", "/servers/v1/losses"), "POST") == 401, "another method")
        #expect(try await asker.send(asker.header("POST", "/servers/v1/reports")) == 401, "another path")
        let other = Array(#"{"attempts":[],"reason":"s","unheld":false}"#.utf8)
        #expect(try await asker.send(asker.header(), "POST", "/servers/v1/losses", other) == 401, "another body")
    }

    @Test func forgedAndStale() async throws {
        let asker = try await Asker()
        #expect(try await asker.send(nil) == 401)
        #expect(try await asker.send("Haul-Server 1.2.3.4.5.6") == 401)
        let good = asker.header()
        let last = good.last == "0" ? "1" : "0"
        #expect(try await asker.send(good.dropLast() + last) == 401, "another MAC")
        let forger = try await Asker(key: [UInt8](repeating: 7, count: 32))
        #expect(try await forger.send(forger.header()) == 401, "another key")
        for seconds in [-90.0, 90] {
            let stale = try await Asker(secondsAhead: seconds)
            #expect(try await stale.send(stale.header()) == 401, "\(seconds) s off")
        }
        for seconds in [-30.0, 30] {
            let late = try await Asker(secondsAhead: seconds)
            #expect(try await late.send(late.header()) == 200, "\(seconds) s off")
        }
        var elsewhere = asker
        elsewhere.target.id = 2
        #expect(try await elsewhere.send(elsewhere.header()) == 401, "for another server")
        elsewhere.target.id = 1
        elsewhere.target.run = String(repeating: "0", count: 32)
        #expect(try await elsewhere.send(elsewhere.header()) == 401, "for an earlier run")
        // No token of a user, a worker or an operator opens it.
        for role in ["user", "worker", "operator"] {
            let token = try await asker.server.token(user: "p\(UUID().uuidString.prefix(6))", role: role)
            #expect(try await asker.send("Bearer \(token)") == 401)
        }
    }
}
