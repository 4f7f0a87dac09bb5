import Foundation
import HaulHTTP
import Support
import Testing

/// What comes in: framing, limits, deadlines, rubbish.
@Suite struct ServerRequestTests {
    static let echo: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
        HTTPResponse(text: "\(request.method) \(request.path) \(String(decoding: request.body, as: UTF8.self))")
    }

    @Test func keepAliveAndPipelining() async throws {
        try await withServer({ _ in }, Self.echo) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send(
                "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            let first = await raw.read { $0.hasSuffix("POST /2 abc") }
            #expect(first.contains("GET /1 "))
            await raw.send("GET /3 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await raw.read { $0.hasSuffix("GET /3 ") }.contains("200 OK"))
        }
    }

    @Test func headIsAnsweredLikeGetWithoutBody() async throws {
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            if request.path == "/stream" {
                return HTTPResponse(body: .stream { try await $0.write(Array("streamed".utf8)) })
            }
            return HTTPResponse(text: "12345")
        }
        try await withServer({ _ in }, handler) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send(
                "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            let answer = await raw.readToEnd()
            #expect(answer.contains("Content-Length: 5\r\n"))
            #expect(!answer.contains("12345") && !answer.contains("streamed"))
            #expect(answer.components(separatedBy: "200 OK").count == 3)
            #expect(answer.contains("Date: "))
        }
    }

    @Test func chunkedBody() async throws {
        try await withServer({ _ in }, Self.echo) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
            await raw.send("3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n")
            #expect(await raw.readToEnd().hasSuffix("POST / abcdefg"))
        }
    }

    @Test func http10() async throws {
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
            HTTPResponse(body: .stream { try await $0.write(Array("all of it".utf8)) })
        }
        try await withServer({ _ in }, handler) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send("GET / HTTP/1.0\r\n\r\n")
            let answer = await raw.readToEnd()
            #expect(answer.hasSuffix("\r\n\r\nall of it"))
            #expect(!answer.lowercased().contains("chunked"))
        }
    }

    @Test func lengthOverTheLimitIsRefusedAtOnce() async throws {
        try await withServer({ _ in }, bodyLimit: 1000, Self.echo) { server in
            for method in ["POST", "PUT", "PATCH", "DELETE"] {
                let raw = try RawConnection(port: server.port)
                await raw.send("\(method) / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
                let answer = await raw.readToEnd()
                #expect(answer.hasPrefix("HTTP/1.1 413"), "\(method)")
                #expect(answer.contains("Connection: close"), "\(method)")
            }
            let exact = try RawConnection(port: server.port)
            let body = String(repeating: "x", count: 1000)
            await exact.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n\(body)")
            #expect(await exact.read { $0.hasSuffix(body) }.hasPrefix("HTTP/1.1 200"))
        }
    }

    /// The client sends on without reading: it still gets to read the answer, not a reset.
    @Test func aRefusedUploadCanReadItsAnswer() async throws {
        try await withServer({ _ in }, bodyLimit: 1000, Self.echo) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n")
            #expect(await raw.send([UInt8](repeating: 0x78, count: 4_000_000)))
            #expect(await raw.readToEnd().hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test func chunkedOverTheLimit() async throws {
        try await withServer({ _ in }, bodyLimit: 1000, Self.echo) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            let piece = "1f4\r\n" + String(repeating: "x", count: 500) + "\r\n"
            await raw.send(piece + piece + piece)
            let answer = await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 413"))
            #expect(answer.components(separatedBy: "HTTP/1.1").count == 2)
        }
    }

    @Test func expectContinue() async throws {
        try await withServer({ _ in }, bodyLimit: 1000, Self.echo) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            #expect(await raw.read { $0.hasSuffix("\r\n\r\n") }.hasPrefix("HTTP/1.1 100"))
            await raw.send("abc")
            #expect(await raw.read { $0.hasSuffix("abc") }.hasPrefix("HTTP/1.1 200"))
            let large = try RawConnection(port: server.port)
            await large.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3000\r\n\r\n")
            #expect(await large.readToEnd().hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test(arguments: ["POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n", "GET / HTTP/1.1\r\nX: ", "GE"])
    func aDripIsCut(start: String) async throws {
        try await withServer({ $0.requestDeadline = 0.6 }, Self.echo) { server in
            let raw = try RawConnection(port: server.port)
            let began = ContinuousClock.now
            await raw.send(start)
            let drip = Task {
                while await raw.read(seconds: 0.05, until: { _ in true }).isEmpty { await raw.send("y") }
            }
            let peer = try RawConnection(port: server.port)
            await peer.send("GET /other HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await peer.read { $0.hasSuffix("GET /other ") }.hasPrefix("HTTP/1.1 200"))
            await drip.value
            #expect(ContinuousClock.now - began < .seconds(15))
        }
    }

    @Test func aBodyThatNeverEndsGets408() async throws {
        try await withServer({ $0.requestDeadline = 0.4 }, Self.echo) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
            #expect(await raw.readToEnd(seconds: 5).hasPrefix("HTTP/1.1 408"))
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        try await withServer({ $0.idleTimeout = 1 }, Self.echo) { server in
            let silent = try RawConnection(port: server.port)
            let used = try RawConnection(port: server.port)
            await used.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await used.readToEnd(seconds: 8).contains("GET /1 "))
            #expect(await silent.closes(seconds: 5))
        }
    }

    @Test func aHeaderOf64KiBIs431() async throws {
        try await withServer({ _ in }, Self.echo) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send("GET / HTTP/1.1\r\nHost: x\r\nX: " + String(repeating: "y", count: 65536) + "\r\n\r\n")
            #expect(await raw.readToEnd().hasPrefix("HTTP/1.1 431"))
            let many = try RawConnection(port: server.port)
            await many.send("GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 20000) + "\r\n")
            #expect(await many.readToEnd().hasPrefix("HTTP/1.1 431"))
            let long = try RawConnection(port: server.port)
            await long.send("GET /" + String(repeating: "y", count: 65536) + " HTTP/1.1\r\n\r\n")
            #expect(await long.readToEnd().hasPrefix("HTTP/1.1 4"))
        }
    }

    @Test func bodiesShareABudget() async throws {
        let gate = Gate()
        let running = Counter()
        try await withServer(
            { $0.bodyBudget = 1000 },
            { request in
                running.add()
                await gate.wait()
                return HTTPResponse(text: "\(request.body.count)")
            }
        ) { server in
            let body = String(repeating: "x", count: 700)
            let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 700\r\n\r\n"
            let first = try RawConnection(port: server.port)
            await first.send(head + body)
            #expect(await eventually { running.count == 1 })
            let second = try RawConnection(port: server.port)
            await second.send(head + body)
            let refused = await second.readToEnd()
            #expect(refused.hasPrefix("HTTP/1.1 503") && refused.contains("Retry-After: 1"))
            let third = try RawConnection(port: server.port)
            await third.send(
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2bc\r\n\(body)\r\n0\r\n\r\n")
            #expect(await third.readToEnd().hasPrefix("HTTP/1.1 503"))
            gate.open()
            #expect(await first.read { $0.hasSuffix("700") }.hasPrefix("HTTP/1.1 200"))
            let fourth = try RawConnection(port: server.port)
            await fourth.send(head + body)
            #expect(await fourth.read { $0.hasSuffix("700") }.hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test(arguments: [
        "\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}\u{3}\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nzz\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: x\r\n\r\n", "GET / HTTP/1.1\r\n: novalue\r\n\r\n",
    ])
    func rubbishIsRefusedAndHarmless(bytes: String) async throws {
        let handled = Counter()
        try await withServer(
            { $0.requestDeadline = 1 },
            { request in
                handled.add()
                return await Self.echo(request)
            }
        ) { server in
            let raw = try RawConnection(port: server.port)
            await raw.send(bytes)
            raw.finishSending()
            let answer = await raw.readToEnd()
            #expect(!answer.hasPrefix("HTTP/1.1 2") || handled.count > 0)
            if bytes.contains("Content-Length") || bytes.contains("Transfer") || bytes.contains("%00") {
                #expect(handled.count == 0)
                #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4") || answer.hasPrefix("HTTP/1.1 5"))
            }
            let client = HTTPClient()
            #expect(try await client.send(HTTPClientRequest(url: server.url("/fine"))).status == 200)
        }
    }

    @Test func randomBytesDoNotHurt() async throws {
        try await withServer({ _ in }, Self.echo) { server in
            var seed: UInt64 = 42
            for _ in 0..<50 {
                let raw = try RawConnection(port: server.port)
                let bytes = (0..<2000).map { _ -> UInt8 in
                    seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return UInt8(truncatingIfNeeded: seed >> 33)
                }
                await raw.send(bytes)
                raw.hangUp()
            }
            #expect(try await HTTPClient().send(HTTPClientRequest(url: server.url("/"))).status == 200)
        }
    }
}

extension RawConnection {
    /// Says that nothing more will come.
    func finishSending() { shutdown(fd, Int32(SHUT_WR)) }
}
