import Foundation
import HaulHTTP
import Testing

/// The client against servers that are slow, wrong, full or gone.
@Suite struct ClientTests {
    static func kind(of request: HTTPClientRequest, _ client: HTTPClient = HTTPClient()) async -> HTTPClientError.Kind?
    {
        do {
            _ = try await client.send(request)
            return nil
        } catch {
            return error.kind
        }
    }

    /// A port on which nobody listens.
    static func closedPort() throws -> Int {
        let server = try CannedServer("", .close)
        defer { server.stop() }
        return server.port
    }

    @Test func methodsHeadersAndBodiesArriveAsGiven() async throws {
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            let fields = request.headers.fields.filter { !["host", "accept"].contains($0.name.lowercased()) }
            let head = fields.map { "\($0.name)=\($0.value)" }.sorted().joined(separator: "|")
            return HTTPResponse(
                status: 201, headers: ["X-Head": head, "X-Path": request.path],
                body: .bytes(Array(request.method.utf8) + [0] + request.body))
        }
        try await withServer({ _ in }, bodyLimit: 8_000_000, handler) { server in
            let client = HTTPClient()
            let bodies: [[UInt8]] = [[], [0], Array(repeating: 0xff, count: 3_000_000)]
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"] {
                for body in bodies {
                    let request = HTTPClientRequest(
                        method: method, url: server.url("/a/../b/%2e%2e/c"), headers: ["X-A": "1", "X-Empty": ""],
                        body: body)
                    let response = try await client.send(request)
                    #expect(response.status == 201)
                    #expect(response.headers["X-Path"] == "/a/../b/%2e%2e/c")
                    #expect(response.body == Array(method.utf8) + [0] + body, "\(method) \(body.count)")
                    let head = response.headers["X-Head"] ?? ""
                    #expect(head.contains("X-A=1|X-Empty=") && head.contains("User-Agent=haul"))
                    #expect(!head.contains("Content-Type"))
                    if method != "GET" { #expect(head.contains("Content-Length=\(body.count)")) }
                }
            }
            let head = try await client.send(HTTPClientRequest(method: "HEAD", url: server.url("/")))
            #expect(head.status == 201 && head.body.isEmpty)
            await client.close()
        }
    }

    @Test func timeouts() async throws {
        let silent = try CannedServer("", .hold)
        let stuck = try CannedServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .hold)
        defer {
            silent.stop()
            stuck.stop()
        }
        for server in [silent, stuck] {
            for request in [
                HTTPClientRequest(url: server.url(), timeout: 0.3),
                HTTPClientRequest(url: server.url(), timeout: 20, idleTimeout: 1),
            ] {
                let began = ContinuousClock.now
                #expect(await Self.kind(of: request) == .timeout)
                let seconds = (ContinuousClock.now - began) / .seconds(1)
                #expect(seconds > 0.25 && seconds < 12)
            }
        }
        var configuration = HTTPClientConfiguration()
        configuration.timeout = 0.3
        let client = HTTPClient(configuration: configuration)
        #expect(await Self.kind(of: HTTPClientRequest(url: silent.url()), client) == .timeout)
    }

    @Test func cancellationIsPromptAndEndsTheExchange() async throws {
        let running = Counter()
        let cancelled = Counter()
        let gate = Gate()
        try await withServer(
            { _ in },
            { _ in
                running.add()
                await gate.wait()
                if Task.isCancelled { cancelled.add() }
                return HTTPResponse()
            }
        ) { server in
            let client = HTTPClient()
            let url = server.url("/")
            let sending = Task { await Self.kind(of: HTTPClientRequest(url: url), client) }
            let streaming = Task {
                try await client.stream(HTTPClientRequest(url: url)) { _ in }
            }
            #expect(await eventually { running.count == 2 })
            let began = ContinuousClock.now
            sending.cancel()
            streaming.cancel()
            #expect(await sending.value == .cancelled)
            let error = await #expect(throws: HTTPClientError.self) { try await streaming.value }
            #expect(error?.kind == .cancelled)
            #expect(ContinuousClock.now - began < .seconds(10))
            #expect(await eventually { cancelled.count == 2 })
            // A task that was cancelled before it began.
            let late = Task {
                await gate.wait()
                return await Self.kind(of: HTTPClientRequest(url: url), client)
            }
            late.cancel()
            #expect(await late.value == .cancelled)
            gate.open()
            let after = try await client.send(HTTPClientRequest(url: url))
            #expect(after.status == 200)
            await client.close()
        }
    }

    @Test func whatCannotConnect() async throws {
        let url = "http://127.0.0.1:\(try Self.closedPort())/"
        let began = ContinuousClock.now
        let error = await #expect(throws: HTTPClientError.self) {
            try await HTTPClient().send(HTTPClientRequest(url: url))
        }
        #expect(error?.kind == .connect && error?.isRetryable == true)
        #expect(ContinuousClock.now - began < .seconds(8))
        #expect(await Self.kind(of: HTTPClientRequest(url: "http://no-such-name.invalid/")) == .connect)
    }

    @Test func whatCannotBeSent() async throws {
        for url in [
            "", "/only/a/path", "ftp://127.0.0.1/", "file:///etc/passwd", "http://a b/", "http://ü/", "http://",
        ] {
            #expect(await Self.kind(of: HTTPClientRequest(url: url)) == .invalidRequest, "\(url)")
        }
        let url = "http://127.0.0.1:\(try Self.closedPort())/"
        for method in ["", "GET /\r\n", "A B"] {
            #expect(await Self.kind(of: HTTPClientRequest(method: method, url: url)) == .invalidRequest)
        }
        let split = HTTPClientRequest(url: url, headers: ["X": "a\r\nY: b"])
        #expect(await Self.kind(of: split) == .invalidRequest)
    }

    @Test(arguments: [
        ("rubbish", HTTPClientError.Kind.malformed),
        ("rubbish that is long enough to be taken for a body\r\n\r\nabc", .malformed),
        ("HTTP/1.1 abc\r\n\r\n", .malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", .malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .disconnected),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", .disconnected),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", .disconnected),
        ("HTTP/1.1 200 OK\r\nContent", .disconnected),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", .disconnected),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", .disconnected),
        ("", .disconnected),
    ])
    func brokenAnswers(bytes: String, kind: HTTPClientError.Kind) async throws {
        let server = try CannedServer(bytes, .close)
        defer { server.stop() }
        #expect(await Self.kind(of: HTTPClientRequest(url: server.url(), timeout: 5)) == kind)
    }

    @Test func aHeadWithoutEndIsRefused() async throws {
        let fields = (0..<10_000).map { "X-\($0): " + String(repeating: "y", count: 100) + "\r\n" }.joined()
        let interim = String(repeating: "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n", count: 20_000)
        for head in ["HTTP/1.1 200 OK\r\n" + fields, interim] {
            let server = try CannedServer(head, .hold)
            defer { server.stop() }
            #expect(await Self.kind(of: HTTPClientRequest(url: server.url(), timeout: 10)) == .malformed)
        }
    }

    @Test func aBodyOverTheLimitIsTooLarge() async throws {
        let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
            if request.path == "/stream" {
                return HTTPResponse(
                    body: .stream { writer in
                        while true { try await writer.write([UInt8](repeating: 0x61, count: 10_000)) }
                    })
            }
            return HTTPResponse(body: .bytes([UInt8](repeating: 0x61, count: 100_000)))
        }
        try await withServer({ _ in }, handler) { server in
            let client = HTTPClient()
            let exact = HTTPClientRequest(url: server.url("/"), maxBody: 100_000)
            let whole = try await client.send(exact)
            #expect(whole.body.count == 100_000)
            for path in ["/", "/stream"] {
                let request = HTTPClientRequest(url: server.url(path), timeout: 10, maxBody: 99_999)
                #expect(await Self.kind(of: request, client) == .tooLarge)
            }
            await client.close()
        }
    }

    /// In a process of its own, so that only its threads count.
    @Test func twoHundredAtOnce() async {
        await #expect(processExitsWith: .success) {
            let running = Counter()
            let gate = Gate()
            let server = try ServerStopTests.server { request in
                running.add()
                await gate.wait()
                return HTTPResponse(text: String(decoding: request.body, as: UTF8.self))
            }
            let client = HTTPClient()
            let url = server.url("/")
            let threads = ProcessFigures.threads
            try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        let request = HTTPClientRequest(
                            method: "POST", url: url, body: Array("number \(index)".utf8), timeout: 20)
                        return try await client.send(request).body == request.body
                    }
                }
                #expect(await eventually { running.count == 200 })
                #expect(ProcessFigures.threads <= threads + 8)
                gate.open()
                for try await isRight in group { #expect(isRight) }
            }
            await client.close()
            await server.stop(grace: 1)
        }
    }

    @Test func connectionsAreUsedAgain() async throws {
        let server = try CannedServer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .next)
        defer { server.stop() }
        let client = HTTPClient()
        for _ in 0..<50 { #expect(try await client.send(HTTPClientRequest(url: server.url())).body.count == 2) }
        #expect(server.requests.count == 50)
        #expect(server.accepted.count == 1)
        await client.close()
    }

    @Test func redirectsAreAnswersNotFollowed() async throws {
        let location = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
        let server = try CannedServer(location, .next)
        defer { server.stop() }
        let response = try await HTTPClient().send(HTTPClientRequest(url: server.url()))
        #expect(response.status == 302 && response.headers["location"] == "/elsewhere")
        #expect(server.requests.count == 1)
    }

    @Test func interimAnswersLeaveNoTrace() async throws {
        let text = "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        let server = try CannedServer(text, .next)
        defer { server.stop() }
        let response = try await HTTPClient().send(HTTPClientRequest(url: server.url()))
        #expect(response.status == 200 && response.headers["X-Early"] == nil)
    }

    @Test func closingEndsWhatRuns() async throws {
        let silent = try CannedServer("", .hold)
        defer { silent.stop() }
        let client = HTTPClient()
        let url = silent.url()
        let tasks = (0..<20).map { index in
            Task { () async -> HTTPClientError.Kind? in
                do {
                    let request = HTTPClientRequest(url: url)
                    if index % 2 == 0 {
                        _ = try await client.send(request)
                    } else {
                        _ = try await client.stream(request) { _ in }
                    }
                    return nil
                } catch {
                    return (error as? HTTPClientError)?.kind
                }
            }
        }
        #expect(await eventually { silent.requests.count == 20 })
        let began = ContinuousClock.now
        await client.close()
        for task in tasks { #expect(await task.value == .closed) }
        #expect(ContinuousClock.now - began < .seconds(10))
        #expect(await Self.kind(of: HTTPClientRequest(url: url), client) == .closed)
        await client.close()
    }
}
