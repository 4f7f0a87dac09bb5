import Foundation
import HaulHTTP
import Support
import Testing

/// Answers that are written piece by piece: order, back-pressure, and every way to end.
@Suite struct StreamedAnswerTests {
    static func streaming(
        _ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void
    ) -> @Sendable (HTTPRequest) async -> HTTPResponse {
        { _ in HTTPResponse(body: .stream(produce)) }
    }

    static let request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func piecesOfAnySizeArriveInOrder() async throws {
        let sizes = [1, 0, 3, 32 * 1024, 32 * 1024 + 1, 0, 700_000, 5, 3_000_000, 1]
        let whole = sizes.enumerated().flatMap { index, size in [UInt8](repeating: UInt8(index), count: size) }
        try await withServer(
            { _ in },
            Self.streaming { writer in
                for (index, size) in sizes.enumerated() {
                    try await writer.write([UInt8](repeating: UInt8(index), count: size))
                }
            }
        ) { server in
            let client = HTTPClient()
            for _ in 0..<5 {
                let response = try await client.send(HTTPClientRequest(url: server.url("/")))
                #expect(response.body == whole)
                #expect(response.headers["Transfer-Encoding"] == "chunked")
            }
        }
    }

    @Test func anEmptyStreamIsAWholeAnswerAndTheConnectionGoesOn() async throws {
        try await withServer({ _ in }, Self.streaming { _ in }) { server in
            let raw = try RawConnection(port: server.port)
            for _ in 0..<2 {
                raw.sendNow(Self.request)
                let answer = await raw.read { $0.hasSuffix("\r\n\r\n0\r\n\r\n") }
                #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("\r\n\r\n0\r\n\r\n"))
            }
        }
    }

    @Test func eachPieceIsSentAtOnce() async throws {
        let gate = Gate()
        try await withServer(
            { _ in },
            Self.streaming { writer in
                try await writer.write(Array("first".utf8))
                await gate.wait()
                try await writer.write(Array("second".utf8))
            }
        ) { server in
            let raw = try RawConnection(port: server.port)
            raw.sendNow(Self.request)
            #expect(await raw.read { $0.contains("first") }.contains("first"))
            gate.open()
            #expect(await raw.read { $0.hasSuffix("0\r\n\r\n") }.contains("second"))
        }
    }

    @Test func aSlowReaderHoldsTheWriterBack() async throws {
        let written = Counter()
        let size = 64 * 1024 * 1024
        try await withServer(
            { _ in },
            Self.streaming { writer in
                let piece = [UInt8](repeating: 0x61, count: 64 * 1024)
                while written.count < size {
                    try await writer.write(piece)
                    written.add(piece.count)
                }
            }
        ) { server in
            let raw = try RawConnection(port: server.port, receiveBuffer: 16 * 1024)
            raw.sendNow(Self.request)
            #expect(await eventually { written.count >= BodyLimit.bytes })
            // What the kernel's buffers hold is beyond our control: 4 MiB to send at most.
            #expect(await !eventually(seconds: 1) { written.count > 8 * 1024 * 1024 })
            let ended = await raw.drain(seconds: 60)
            #expect(ended > size && ended < size + size / 100)
            #expect(written.count == size)
        }
    }

    @Test(arguments: [true, false])
    func aClientThatLeavesEndsTheWriter(isQuiet: Bool) async throws {
        let gate = Gate()
        let began = Counter()
        let gone = Counter()
        try await withServer(
            { _ in },
            Self.streaming { writer in
                try await writer.write(Array("first".utf8))
                began.add()
                do {
                    // Quiet: parked when the client leaves. Else: in the middle of writing.
                    if isQuiet { await gate.wait() }
                    while true { try await writer.write([UInt8](repeating: 0x61, count: 10_000)) }
                } catch {
                    if error is HTTPClientGone || error is CancellationError { gone.add() }
                    throw error
                }
            }
        ) { server in
            let raw = try RawConnection(port: server.port)
            raw.sendNow(Self.request)
            #expect(await raw.read { $0.contains("first") }.contains("first"))
            #expect(await eventually { began.count == 1 })
            raw.reset()
            #expect(await eventually { gone.count == 1 })
        }
    }

    @Test func aWriterThatOutlivesItsAnswerIsTold() async throws {
        let outcome = Counter()
        let gate = Gate()
        try await withServer(
            { _ in },
            Self.streaming { writer in
                try await writer.write(Array("all".utf8))
                Task.detached {
                    await gate.wait()
                    do { try await writer.write(Array("late".utf8)) } catch { outcome.add() }
                }
            }
        ) { server in
            let raw = try RawConnection(port: server.port)
            raw.sendNow(Self.request)
            #expect(await raw.read { $0.hasSuffix("0\r\n\r\n") }.contains("all"))
            gate.open()
            #expect(await eventually { outcome.count == 1 })
        }
    }

    struct Fault: Error {}

    @Test(arguments: [0, 10, 1_000_000])
    func anErrorMidStreamIsSeenAsATruncation(count: Int) async throws {
        try await withServer(
            { _ in },
            Self.streaming { writer in
                try await writer.write([UInt8](repeating: 0x61, count: count))
                throw Fault()
            }
        ) { server in
            let raw = try RawConnection(port: server.port)
            raw.sendNow(Self.request)
            let answer = await raw.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 200") || answer.isEmpty)
            #expect(!answer.hasSuffix("\r\n0\r\n\r\n"))
            let client = HTTPClient()
            let error = await #expect(throws: HTTPClientError.self) {
                try await client.send(HTTPClientRequest(url: server.url("/")))
            }
            #expect(error?.kind == .disconnected)
            await client.close()
        }
    }

    @Test func aStalledReaderIsCut() async throws {
        let gone = Counter()
        try await withServer(
            { $0.idleTimeout = 1 },
            Self.streaming { writer in
                do {
                    while true { try await writer.write([UInt8](repeating: 0x61, count: 64 * 1024)) }
                } catch {
                    gone.add()
                    throw error
                }
            }
        ) { server in
            let raw = try RawConnection(port: server.port, receiveBuffer: 16 * 1024)
            raw.sendNow(Self.request)
            let began = ContinuousClock.now
            #expect(await eventually { gone.count == 1 })
            #expect(ContinuousClock.now - began > .milliseconds(900))
            #expect(await !raw.read(seconds: 5) { $0.hasSuffix("\r\n0\r\n\r\n") }.hasSuffix("\r\n0\r\n\r\n"))
        }
    }

    /// A stream that is silent for longer than the idle timeout is no stalled reader.
    @Test func aQuietStreamIsNotCut() async throws {
        let gate = Gate()
        try await withServer(
            { $0.idleTimeout = 1 },
            Self.streaming { writer in
                try await writer.write(Array("first".utf8))
                await gate.wait()
                try await writer.write(Array("second".utf8))
            }
        ) { server in
            let raw = try RawConnection(port: server.port)
            raw.sendNow(Self.request)
            #expect(await raw.read { $0.contains("first") }.contains("first"))
            #expect(await raw.read(seconds: 2.5) { _ in true }.isEmpty)
            gate.open()
            #expect(await raw.read { $0.hasSuffix("0\r\n\r\n") }.contains("second"))
        }
    }

    @Test func manyLiveStreamsGetEveryEvent() async throws {
        let gates = (0..<5).map { _ in Gate() }
        let streams = Counter()
        let received = Counter()
        try await withServer(
            { _ in },
            Self.streaming { writer in
                streams.add()
                for (index, gate) in gates.enumerated() {
                    await gate.wait()
                    try await writer.write(Array("event \(index)\n".utf8))
                }
            }
        ) { server in
            let client = HTTPClient()
            let url = server.url("/")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        _ = try await client.stream(HTTPClientRequest(url: url, timeout: 120)) {
                            received.add($0.count)
                        }
                    }
                }
                #expect(await eventually { streams.count == 200 })
                for (index, gate) in gates.enumerated() {
                    gate.open()
                    #expect(await eventually { received.count == 200 * 8 * (index + 1) })
                }
                try await group.waitForAll()
            }
            await client.close()
        }
    }
}

/// What HTTPBodyWriter promises to hold for a client.
private enum BodyLimit { static let bytes = 256 * 1024 }

extension RawConnection {
    /// Reads and drops until the other side has been quiet or closed, or a last chunk came.
    /// - Returns: bytes read.
    func drain(seconds: Double) async -> Int {
        let total = Counter()
        let end = ContinuousClock.now + .seconds(seconds)
        while ContinuousClock.now < end {
            let piece = await read(seconds: 1) { _ in true }
            total.add(piece.utf8.count)
            if piece.isEmpty || piece.hasSuffix("\r\n0\r\n\r\n") { break }
        }
        return total.count
    }
}
