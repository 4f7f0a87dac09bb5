import Foundation
import HaulHTTP
import Support
import Testing

/// The end of a server, with everything under way that can be. Each in a process of its own: libmicrohttpd aborts the
/// process when a connection is parked as it stops.
@Suite(.serialized) struct ServerStopTests {
    /// Starts a server without stopping it.
    static func server(
        _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse
    ) throws -> HTTPServer {
        let server = HTTPServer(
            configuration: HTTPServerConfiguration(), bodyLimit: { _ in 1024 * 1024 }, handler: handler)
        try server.start()
        return server
    }

    /// Seconds that stopping takes.
    static func stop(_ server: HTTPServer, grace: Double) async -> Double {
        let began = ContinuousClock.now
        await server.stop(grace: grace)
        return (ContinuousClock.now - began) / .seconds(1)
    }

    @Test func parkedHandlersAreCancelledAndAnswered() async {
        await #expect(processExitsWith: .success) {
            let gate = Gate()
            let running = Counter()
            let server = try ServerStopTests.server { _ in
                running.add()
                await gate.wait()
                return HTTPResponse(text: Task.isCancelled ? "cut short" : "done")
            }
            let clients = try (0..<100).map { _ in try RawConnection(port: server.port) }
            for client in clients { client.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
            #expect(await eventually { running.count == 100 })
            #expect(await ServerStopTests.stop(server, grace: 0.5) < 2.5)
            for client in clients { #expect(await client.readToEnd().hasSuffix("cut short")) }
        }
    }

    /// A thread of libmicrohttpd's may look at the socket in the very moment in which the server leaves it.
    @Test func stopsAsConnectionsComeAndGo() async {
        await #expect(processExitsWith: .success) {
            for _ in 0..<200 {
                let server = try ServerStopTests.server { _ in HTTPResponse(text: "hello") }
                let port = server.port
                let answered = Counter()
                let clients = Task {
                    await withTaskGroup { group in
                        for _ in 0..<4 {
                            group.addTask {
                                // Until none is taken any more.
                                while let client = try? RawConnection(port: port) {
                                    client.sendNow("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                                    if await client.readToEnd().isEmpty { break }
                                    answered.add()
                                }
                            }
                        }
                    }
                }
                #expect(await eventually { answered.count > 4 })
                await server.stop(grace: 5)
                await clients.value
                #expect(throws: RawConnection.Failure.self) { try RawConnection(port: port) }
            }
        }
    }

    @Test func handlersThatDoNotEndAreAnswered503() async {
        await #expect(processExitsWith: .success) {
            let running = Counter()
            let gate = Gate()
            let server = try ServerStopTests.server { _ in
                running.add()
                // Deaf to cancellation.
                await Task.detached { await gate.wait() }.value
                return HTTPResponse(text: "late")
            }
            let clients = try (0..<20).map { _ in try RawConnection(port: server.port) }
            for client in clients { client.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
            #expect(await eventually { running.count == 20 })
            #expect(await ServerStopTests.stop(server, grace: 0.3) < 2.5)
            for client in clients {
                let answer = await client.readToEnd()
                #expect(answer.hasPrefix("HTTP/1.1 503") && answer.contains("Retry-After: 1"))
            }
            // Their answers come when the server is long gone.
            gate.open()
            #expect(await eventually { server.port == 0 })
        }
    }

    @Test func whatEndsWithinTheGraceIsAnswered() async {
        await #expect(processExitsWith: .success) {
            let running = Counter()
            let gate = Gate()
            let server = try ServerStopTests.server { request in
                running.add()
                await gate.wait()
                if request.path == "/stream" {
                    return HTTPResponse(
                        body: .stream { writer in
                            for _ in 0..<100 { try await writer.write([UInt8](repeating: 0x61, count: 1000)) }
                        })
                }
                return HTTPResponse(text: Task.isCancelled ? "cut short" : "done")
            }
            let plain = try RawConnection(port: server.port)
            plain.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            let stream = try RawConnection(port: server.port)
            stream.sendNow("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await eventually { running.count == 2 })
            async let seconds = ServerStopTests.stop(server, grace: 10)
            #expect(await eventually { server.port == 0 })
            gate.open()
            #expect(await plain.readToEnd().hasSuffix("done"))
            #expect(await stream.readToEnd().hasSuffix("\r\n0\r\n\r\n"))
            #expect(await seconds < 3)
        }
    }

    @Test func liveStreamsAreCut() async {
        await #expect(processExitsWith: .success) {
            let gate = Gate()
            let began = Counter()
            let ended = Counter()
            let server = try ServerStopTests.server { request in
                HTTPResponse(
                    body: .stream { writer in
                        defer { ended.add() }
                        try await writer.write(Array("first".utf8))
                        began.add()
                        switch request.path {
                        case "/quiet": await gate.wait()
                        case "/deaf": await Task.detached { await gate.wait() }.value
                        default: while true { try await writer.write([UInt8](repeating: 0x61, count: 65536)) }
                        }
                        try await writer.write(Array("late".utf8))
                    })
            }
            let paths = ["/quiet", "/deaf", "/endless"]
            let clients = try (0..<30).map { _ in try RawConnection(port: server.port, receiveBuffer: 4096) }
            for (index, client) in clients.enumerated() {
                client.sendNow("GET \(paths[index % 3]) HTTP/1.1\r\nHost: x\r\n\r\n")
            }
            #expect(await eventually { began.count == 30 })
            #expect(await ServerStopTests.stop(server, grace: 0.3) < 3)
            for client in clients {
                let answer = await client.readToEnd()
                #expect(answer.hasPrefix("HTTP/1.1 200") && !answer.hasSuffix("\r\n0\r\n\r\n"))
                #expect(!answer.contains("late"))
            }
            #expect(ended.count >= 20)
            gate.open()
            #expect(await eventually { ended.count == 30 })
        }
    }

    @Test func streamsCanEndInGoodOrder() async {
        await #expect(processExitsWith: .success) {
            let gate = Gate()
            let began = Counter()
            let server = try ServerStopTests.server { _ in
                HTTPResponse(
                    body: .stream { writer in
                        try await writer.write(Array("first".utf8))
                        began.add()
                        await gate.wait()
                    })
            }
            let client = try RawConnection(port: server.port)
            client.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(await eventually { began.count == 1 })
            #expect(await ServerStopTests.stop(server, grace: 0.3) < 2)
            #expect(await client.readToEnd().hasSuffix("first\r\n0\r\n\r\n"))
        }
    }

    @Test func halfReceivedRequestsAreNotWaitedFor() async {
        await #expect(processExitsWith: .success) {
            let handled = Counter()
            let server = try ServerStopTests.server { _ in
                handled.add()
                return HTTPResponse(text: "done")
            }
            let starts = [
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc",
                "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: x\r\n",
            ]
            let clients = try starts.map { _ in try RawConnection(port: server.port) }
            for (client, start) in zip(clients, starts) { client.sendNow(start) }
            // Behind them on both threads, so that they are in when these are answered.
            for _ in 0..<8 {
                let probe = try RawConnection(port: server.port)
                probe.sendNow("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                #expect(await probe.readToEnd().hasSuffix("done"))
            }
            #expect(await ServerStopTests.stop(server, grace: 10) < 2)
            for client in clients { #expect(await client.readToEnd(seconds: 5).hasPrefix("HTTP/1.1 503")) }
            #expect(handled.count == 8)
        }
    }

    @Test func idleConnectionsAreClosedAndThePortIsFree() async {
        await #expect(processExitsWith: .success) {
            let server = try ServerStopTests.server { _ in HTTPResponse(text: "done") }
            let port = server.port
            let clients = try (0..<200).map { _ in try RawConnection(port: port) }
            for client in clients[..<100] { client.sendNow("GET / HTTP/1.1\r\nHost: x\r\n\r\n") }
            for client in clients[..<100] { #expect(await client.read { $0.hasSuffix("done") }.hasSuffix("done")) }
            #expect(await ServerStopTests.stop(server, grace: 10) < 2)
            for client in clients { #expect(await client.closes(seconds: 5)) }
            #expect(throws: RawConnection.Failure.self) { try RawConnection(port: port) }
            let next = HTTPServer(
                configuration: HTTPServerConfiguration(port: port), bodyLimit: { _ in 0 },
                handler: { _ in HTTPResponse() })
            try next.start()
            #expect(next.port == port)
            await next.stop(grace: 0)
        }
    }

    /// Requests of every sort arrive while the server stops, ten times over.
    @Test func stoppingUnderFire() async {
        await #expect(processExitsWith: .success) {
            let client = HTTPClient()
            for round in 0..<10 {
                let gate = Gate()
                let answered = Counter()
                let server = try ServerStopTests.server { request in
                    switch request.path {
                    case "/parked":
                        await gate.wait()
                        return HTTPResponse(text: "woken")
                    case "/stream":
                        return HTTPResponse(
                            body: .stream { writer in
                                while true {
                                    try await writer.write([UInt8](repeating: 0x61, count: 100))
                                    await Task.yield()
                                }
                            })
                    default: return HTTPResponse(text: "done")
                    }
                }
                let port = server.port
                await withTaskGroup(of: Void.self) { group in
                    for lane in 0..<12 {
                        group.addTask {
                            let path = ["/parked", "/stream", "/quick", "/post"][lane % 4]
                            while true {
                                let request = HTTPClientRequest(
                                    method: path == "/post" ? "POST" : "GET", url: "http://127.0.0.1:\(port)\(path)",
                                    body: path == "/post" ? [UInt8](repeating: 0, count: 100_000) : [], timeout: 20)
                                do {
                                    if path == "/stream" {
                                        _ = try await client.stream(request) { _ in answered.add() }
                                    } else {
                                        _ = try await client.send(request)
                                    }
                                    answered.add()
                                } catch {
                                    return
                                }
                            }
                        }
                    }
                    #expect(await eventually { answered.count > 20 + round * 5 })
                    #expect(await ServerStopTests.stop(server, grace: round % 2 == 0 ? 0 : 0.05) < 4)
                    gate.open()
                }
            }
            await client.close()
        }
    }

    @Test func stoppingTwiceAndNeverStarting() async {
        await #expect(processExitsWith: .success) {
            let server = try ServerStopTests.server { _ in HTTPResponse() }
            async let first: Void = server.stop(grace: 1)
            async let second: Void = server.stop(grace: 1)
            _ = await (first, second)
            await server.stop()
            #expect(server.port == 0)
            #expect(throws: HTTPServerError.self) { try server.start() }
            let never = HTTPServer(
                configuration: HTTPServerConfiguration(), bodyLimit: { _ in 0 }, handler: { _ in HTTPResponse() })
            await never.stop()
        }
    }
}
