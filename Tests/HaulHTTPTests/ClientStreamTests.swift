import Foundation
import HaulHTTP
import Testing

/// Answers that the client hands on as they come.
@Suite struct ClientStreamTests {
    struct Fault: Error, Equatable {}

    @Test func piecesAreHandedOnInOrder() async throws {
        let whole = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        try await withServer({ _ in }, { _ in HTTPResponse(headers: ["X-A": "b"], body: .bytes(whole)) }) { server in
            let client = HTTPClient()
            let (heads, right, offset) = (Counter(), Counter(), Counter())
            let response = try await client.stream(HTTPClientRequest(url: server.url("/"), maxBody: 10)) { head in
                if head.status == 200, head.headers["X-A"] == "b", offset.count == 0 { heads.add() }
            } onChunk: { chunk in
                if Array(whole[offset.count..<(offset.count + chunk.count)]) == chunk { right.add(chunk.count) }
                offset.add(chunk.count)
            }
            #expect(heads.count == 1 && right.count == whole.count)
            #expect(response.status == 200 && response.body.isEmpty)
            await client.close()
        }
    }

    @Test func anEmptyAnswerHasAHeadOnly() async throws {
        try await withServer({ _ in }, { _ in HTTPResponse(status: 204) }) { server in
            let (heads, chunks) = (Counter(), Counter())
            let response = try await HTTPClient().stream(HTTPClientRequest(url: server.url("/"))) { _ in
                heads.add()
            } onChunk: { _ in
                chunks.add()
            }
            #expect(response.status == 204 && heads.count == 1 && chunks.count == 0)
        }
    }

    /// An idle timeout must not strike either while the reader, not the server, is slow.
    @Test func aSlowReaderSlowsTheServer() async throws {
        let size = 64 * 1024 * 1024
        let (written, read) = (Counter(), Counter())
        let gate = Gate()
        try await withServer(
            { _ in },
            { _ in
                HTTPResponse(
                    body: .stream { writer in
                        while written.count < size {
                            try await writer.write([UInt8](repeating: 0x61, count: 65536))
                            written.add(65536)
                        }
                    })
            }
        ) { server in
            let client = HTTPClient()
            let request = HTTPClientRequest(url: server.url("/"), idleTimeout: 3)
            async let response = client.stream(request) { chunk in
                await gate.wait()
                read.add(chunk.count)
            }
            #expect(await eventually { written.count > 0 })
            // The pipe (256 KiB), the window (256 KiB) and the kernel's buffers (some MiB) fill up, no more.
            #expect(await !eventually(seconds: 4.5) { written.count > size / 2 })
            // Others are served meanwhile, by the same thread.
            let closed = HTTPClientRequest(url: "http://127.0.0.1:\(try ClientTests.closedPort())/", timeout: 5)
            #expect(await ClientTests.kind(of: closed, client) == .connect)
            gate.open()
            #expect(try await response.status == 200)
            #expect(read.count == size)
            await client.close()
        }
    }

    @Test func anErrorOfACallbackEndsTheRequest() async throws {
        let ended = Counter()
        try await withServer(
            { _ in },
            { _ in
                HTTPResponse(
                    body: .stream { writer in
                        defer { ended.add() }
                        while true { try await writer.write([UInt8](repeating: 0x61, count: 65536)) }
                    })
            }
        ) { server in
            let client = HTTPClient()
            let request = HTTPClientRequest(url: server.url("/"), timeout: 20)
            await #expect(throws: Fault()) { try await client.stream(request) { _ in throw Fault() } }
            await #expect(throws: Fault()) {
                try await client.stream(request, onHead: { _ in throw Fault() }) { _ in }
            }
            #expect(await eventually { ended.count == 2 })
            await client.close()
        }
    }

    @Test func aBrokenAnswerGivesWhatCameAndThenTheError() async throws {
        let server = try CannedServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .close)
        defer { server.stop() }
        let read = Counter()
        let error = await #expect(throws: HTTPClientError.self) {
            try await HTTPClient().stream(HTTPClientRequest(url: server.url())) { read.add($0.count) }
        }
        #expect(error?.kind == .disconnected && read.count == 3)
    }

    @Test func cancellationWhileTheReaderWaits() async throws {
        let gate = Gate()
        let chunks = Counter()
        let server = try CannedServer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", .hold)
        defer { server.stop() }
        let client = HTTPClient()
        let url = server.url()
        let task = Task {
            try await client.stream(HTTPClientRequest(url: url)) { _ in
                chunks.add()
                await gate.wait()
            }
        }
        #expect(await eventually { chunks.count == 1 })
        let began = ContinuousClock.now
        task.cancel()
        let error = await #expect(throws: HTTPClientError.self) { try await task.value }
        #expect(error?.kind == .cancelled)
        #expect(ContinuousClock.now - began < .seconds(10))
        await client.close()
    }
}
