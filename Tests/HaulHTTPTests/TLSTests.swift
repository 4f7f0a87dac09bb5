import Foundation
import HaulHTTP
import Support
import Testing

/// HTTPS on both sides.
@Suite struct TLSTests {
    static let handler: @Sendable (HTTPRequest) async -> HTTPResponse = { request in
        if request.path == "/stream" {
            return HTTPResponse(
                body: .stream { writer in
                    for _ in 0..<100 { try await writer.write([UInt8](repeating: 0x61, count: 50_000)) }
                })
        }
        return HTTPResponse(body: .bytes(request.body))
    }

    @Test func requestsBodiesAndStreams() async throws {
        let certificate = try await Certificate()
        try await withServer({ $0.tls = certificate.tls }, Self.handler) { server in
            let client = certificate.client()
            let url = "https://127.0.0.1:\(server.port)"
            let body = [UInt8](repeating: 0x62, count: 1_000_000)
            for _ in 0..<3 {
                let echoed = try await client.send(HTTPClientRequest(method: "POST", url: url, body: body))
                #expect(echoed.status == 200 && echoed.body == body)
                let streamed = try await client.send(HTTPClientRequest(url: url + "/stream"))
                #expect(streamed.body.count == 5_000_000)
            }
            let tooLarge = [UInt8](repeating: 0x62, count: 3_000_000)
            let refused = try await client.send(
                HTTPClientRequest(method: "POST", url: url, headers: ["Expect": ""], body: tooLarge))
            #expect(refused.status == 413)
            await client.close()
        }
    }

    @Test func aCertificateThatIsNotTrusted() async throws {
        let certificate = try await Certificate()
        let other = try await Certificate()
        try await withServer({ $0.tls = certificate.tls }, Self.handler) { server in
            let request = HTTPClientRequest(url: "https://127.0.0.1:\(server.port)/", timeout: 10)
            #expect(await ClientTests.kind(of: request) == .tls)
            #expect(await ClientTests.kind(of: request, other.client()) == .tls)
            // Trusted, but for another name.
            let named = HTTPClientRequest(url: "https://localhost:\(server.port)/", timeout: 10)
            #expect(await ClientTests.kind(of: named, certificate.client()) == .tls)
            #expect(await ClientTests.kind(of: request, certificate.client()) == nil)
        }
    }

    @Test func plainAndSecureDoNotMix() async throws {
        let certificate = try await Certificate()
        try await withServer({ $0.tls = certificate.tls }, Self.handler) { server in
            let plain = HTTPClientRequest(url: "http://127.0.0.1:\(server.port)/", timeout: 10)
            #expect(await ClientTests.kind(of: plain) == .disconnected)
            let raw = try RawConnection(port: server.port)
            await raw.send([UInt8](repeating: 0x16, count: 100_000))
            #expect(await raw.closes())
            let request = HTTPClientRequest(url: "https://127.0.0.1:\(server.port)/", timeout: 10)
            #expect(await ClientTests.kind(of: request, certificate.client()) == nil)
        }
        try await withServer({ _ in }, Self.handler) { server in
            let request = HTTPClientRequest(url: "https://127.0.0.1:\(server.port)/", timeout: 10)
            #expect(await ClientTests.kind(of: request, certificate.client()) == .tls)
        }
    }

    @Test func aLongPollIsCancelledWhenItsClientLeaves() async throws {
        let certificate = try await Certificate()
        let (running, cancelled) = (Counter(), Counter())
        let gate = Gate()
        let wait: @Sendable (HTTPRequest) async -> HTTPResponse = { _ in
            running.add()
            await gate.wait()
            if Task.isCancelled { cancelled.add() }
            return HTTPResponse()
        }
        try await withServer({ $0.tls = certificate.tls }, wait) { server in
            let client = certificate.client()
            let url = "https://127.0.0.1:\(server.port)/"
            let leaver = Task { await ClientTests.kind(of: HTTPClientRequest(url: url), client) }
            let stayer = Task { await ClientTests.kind(of: HTTPClientRequest(url: url), client) }
            #expect(await eventually { running.count == 2 })
            leaver.cancel()
            #expect(await leaver.value == .cancelled)
            #expect(await eventually { cancelled.count == 1 })
            gate.open()
            #expect(await stayer.value == nil)
            await client.close()
        }
    }

    /// In a process of its own, as a parked connection at the end would abort it.
    @Test func stoppingWithTLSConnectionsOfEverySort() async {
        await #expect(processExitsWith: .success) {
            let certificate = try await Certificate()
            let running = Counter()
            let gate = Gate()
            var configuration = HTTPServerConfiguration()
            configuration.tls = certificate.tls
            let server = HTTPServer(configuration: configuration, bodyLimit: { _ in 1000 }) { request in
                running.add()
                if request.path == "/stream" {
                    return HTTPResponse(body: .stream { _ in await Task.detached { await gate.wait() }.value })
                }
                await Task.detached { await gate.wait() }.value
                return HTTPResponse()
            }
            try server.start()
            let silent = try (0..<10).map { _ in try RawConnection(port: server.port) }
            for connection in silent[..<5] { connection.sendNow("\u{16}\u{3}\u{1}") }
            let client = certificate.client()
            let url = "https://127.0.0.1:\(server.port)"
            let tasks = (0..<10).map { index in
                Task { () async -> Int in
                    let path = index % 2 == 0 ? "/stream" : "/"
                    let response = try? await client.send(HTTPClientRequest(url: url + path, timeout: 20))
                    return response?.status ?? 0
                }
            }
            #expect(await eventually { running.count == 10 })
            #expect(await ServerStopTests.stop(server, grace: 0.3) < 3)
            for (index, task) in tasks.enumerated() { #expect(await task.value == (index % 2 == 0 ? 0 : 503)) }
            for connection in silent { #expect(await connection.closes()) }
            gate.open()
            await client.close()
        }
    }
}
