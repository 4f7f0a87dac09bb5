import Foundation
import HaulHTTP
import Support
import Synchronization
import Testing

/// The head hook: what is decided before a body is read.
@Suite struct HeadHookTests {
    private static let denied = HTTPResponse(
        status: 401,
        headers: ["Content-Type": "application/problem+json", "WWW-Authenticate": "Bearer realm=\"x\""],
        body: .bytes(Array("{}".utf8)))

    /// Who says `X-Token: good` may send 1,000 bytes. `/ask` finds out about it by and by.
    private static let admit: @Sendable (HTTPRequestHead) -> HTTPAdmission = { head in
        let refusal = head.headers["X-Token"] == "good" ? nil : denied
        guard head.path == "/ask" else { return .init(bodyLimit: 1000, gate: refusal.map { .shut($0) } ?? .open) }
        return .init(
            bodyLimit: 1000,
            gate: .ask {
                await Task.detached {}.value
                return refusal
            })
    }

    private func withGuardedServer(
        _ configure: (inout HTTPServerConfiguration) -> Void = { _ in },
        _ body: (HTTPServer, Counter) async throws -> Void
    ) async throws {
        let handled = Counter()
        var configuration = HTTPServerConfiguration()
        configure(&configuration)
        let server = HTTPServer(configuration: configuration, admit: Self.admit) { request in
            handled.add()
            return HTTPResponse(text: "\(request.body.count)")
        }
        try server.start()
        do {
            try await body(server, handled)
        } catch {
            await server.stop(grace: 0)
            throw error
        }
        await server.stop(grace: 0)
    }

    private static func head(_ path: String, _ token: String, _ fields: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: h\r\nX-Token: \(token)\r\n\(fields)\r\n\r\n"
    }

    /// The answer comes while the client has sent nothing but its head, and nothing after it is taken for a request.
    @Test(arguments: ["/", "/ask"], ["Content-Length: 100", "Transfer-Encoding: chunked"])
    func theAnswerDoesNotWaitForTheBody(path: String, framing: String) async throws {
        try await withGuardedServer { server, handled in
            let raw = try RawConnection(port: server.port)
            await raw.send(Self.head(path, "bad", framing))
            let first = await raw.read { $0.hasSuffix("{}") }
            await raw.send("GET /smuggled HTTP/1.1\r\nHost: h\r\nX-Token: good\r\n\r\n")
            let bytes = Array((first + (await raw.readToEnd())).utf8)
            let answers = try RawAnswer.all(bytes)
            #expect(answers.map(\.status) == [401])
            #expect(answers.first?.headers["WWW-Authenticate"] == "Bearer realm=\"x\"")
            #expect(answers.first?.headers["Connection"] == "close")
            #expect(handled.count == 0)
        }
    }

    /// What was pipelined behind a request that is refused at its head is not answered: where it begins is not known.
    @Test(arguments: ["/", "/ask"]) func pipelinedRequestsEndWithARefusal(path: String) async throws {
        try await withGuardedServer { server, handled in
            let raw = try RawConnection(port: server.port)
            let good = Self.head(path, "good", "Content-Length: 3") + "abc"
            await raw.send(good + Self.head(path, "bad", "Content-Length: 3") + "abc" + good + good)
            #expect(try await raw.answers().map(\.status) == [200, 401])
            #expect(handled.count == 1)
        }
    }

    /// Without a body there is nothing to keep out: the handler is asked, and the connection lives on.
    @Test(arguments: ["GET", "POST"]) func withoutABodyTheHandlerIsAsked(method: String) async throws {
        try await withGuardedServer { server, handled in
            let raw = try RawConnection(port: server.port)
            let request = "\(method) / HTTP/1.1\r\nHost: h\r\n\(method == "POST" ? "Content-Length: 0\r\n" : "")\r\n"
            await raw.send(request + request)
            _ = await raw.read { $0.components(separatedBy: "HTTP/1.1 200").count == 3 }
            #expect(handled.count == 2)
        }
    }

    @Test(arguments: ["/", "/ask"]) func expectContinue(path: String) async throws {
        try await withGuardedServer { server, _ in
            let refused = try RawConnection(port: server.port)
            await refused.send(Self.head(path, "bad", "Expect: 100-continue\r\nContent-Length: 3"))
            #expect(try await refused.onlyAnswer().status == 401)
            let long = try RawConnection(port: server.port)
            await long.send(Self.head(path, "good", "Expect: 100-continue\r\nContent-Length: 3000"))
            #expect(try await long.onlyAnswer().status == 413)
            let admitted = try RawConnection(port: server.port)
            await admitted.send(
                Self.head(path, "good", "Expect: 100-continue\r\nConnection: close\r\nContent-Length: 3"))
            let interim = await admitted.read { $0.hasSuffix("\r\n\r\n") }
            #expect(try RawAnswer.all(Array(interim.utf8)).map(\.status) == [100])
            await admitted.send("abc")
            let answer = try await admitted.onlyAnswer()
            #expect(answer.status == 200 && answer.body == [UInt8(ascii: "3")])
        }
    }

    /// A body of no chunks follows its head at once, while the gate still asks.
    @Test(arguments: ["0\r\n\r\n", "3\r\nabc\r\n0\r\n\r\n"]) func chunksBehindAGateThatAsks(body: String) async throws {
        try await withGuardedServer { server, _ in
            let raw = try RawConnection(port: server.port)
            await raw.send(Self.head("/ask", "good", "Connection: close\r\nTransfer-Encoding: chunked") + body)
            let answer = try await raw.onlyAnswer()
            #expect(answer.status == 200)
            #expect(answer.body == Array(body.hasPrefix("0") ? "0".utf8 : "3".utf8))
        }
    }

    /// Bodies that are kept out take nothing of what the server holds for those that are let in.
    @Test(arguments: ["/", "/ask"]) func refusedBodiesTakeNoMemory(path: String) async throws {
        try await withGuardedServer({ $0.bodyBudget = 1500 }) { server, _ in
            var strangers: [RawConnection] = []
            for _ in 0..<20 {
                let raw = try RawConnection(port: server.port)
                await raw.send(Self.head(path, "bad", "Content-Length: 900") + String(repeating: "x", count: 800))
                strangers.append(raw)
            }
            for raw in strangers {
                let status = try await raw.onlyAnswer().status
                #expect(status == 401)
            }
            let raw = try RawConnection(port: server.port)
            await raw.send(
                Self.head(path, "good", "Connection: close\r\nContent-Length: 900")
                    + String(repeating: "x", count: 900))
            #expect(try await raw.onlyAnswer().status == 200)
        }
    }

    @Test(arguments: ["/", "/ask"]) func overTLS(path: String) async throws {
        let certificate = try await Certificate()
        try await withGuardedServer({ $0.tls = certificate.tls }) { server, handled in
            let client = certificate.client()
            for (token, status) in [("bad", 401), ("good", 200)] {
                let request = HTTPClientRequest(
                    method: "POST", url: "https://127.0.0.1:\(server.port)\(path)", headers: ["X-Token": token],
                    body: [UInt8](repeating: 0x78, count: 1000))
                let answer = try await client.send(request)
                #expect(answer.status == status)
            }
            #expect(handled.count == 1)
            await client.close()
        }
    }

    /// A gate that asks forever holds up neither its client's leaving nor the server's end.
    @Test func aGateThatHangs() async throws {
        let asked = Counter()
        let cancelled = Counter()
        let never = Gate()
        let server = HTTPServer(configuration: HTTPServerConfiguration()) { _ in
            HTTPAdmission(
                bodyLimit: 10,
                gate: .ask {
                    asked.add()
                    await never.wait()
                    cancelled.add()
                    return nil
                })
        } handler: { _ in
            HTTPResponse()
        }
        try server.start()
        let leaver = try RawConnection(port: server.port)
        await leaver.send(Self.head("/", "good", "Content-Length: 3"))
        #expect(await eventually { asked.count == 1 })
        leaver.hangUp()
        #expect(await eventually { cancelled.count == 1 })
        let stayer = try RawConnection(port: server.port)
        await stayer.send(Self.head("/", "good", "Content-Length: 3"))
        #expect(await eventually { asked.count == 2 })
        await server.stop(grace: 0.1)
        #expect(cancelled.count == 2)
        let answers = try await stayer.answers()
        #expect(answers.map(\.status) == [503] || answers.isEmpty)
    }
}
