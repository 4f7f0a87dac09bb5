import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import HaulCurl

/// Bodies that pass through this process as they come.
@Suite(.serialized, .timeLimit(.minutes(10))) struct StreamTests {
    @Test(arguments: [0, 1, 16_384, 1 << 20, 20_000_001]) func comes(_ count: Int) async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(
                StreamAsk(server: server.endpoint, path: "/bytes/a/\(count)"), in: StreamAsk.pool())
            #expect(await StreamAsk.all(stream) == StreamServer.content(count))
            let answer = await stream.finish()
            #expect(answer.isSuccess && answer.downloaded == count && answer.contentLength == count, "\(answer)")
            #expect(await stream.read() == nil)
        }
    }

    @Test(arguments: [0, 1, 70_000, 20_000_001], [true, false])
    func leaves(_ count: Int, _ isAnnounced: Bool) async throws {
        try await StreamServer.with { server in
            let content = StreamServer.content(count)
            let stream = try CurlStream.start(
                StreamAsk.put(server, "/put/a", isAnnounced ? count : nil), in: StreamAsk.pool())
            // Pieces of many sizes, empty ones among them.
            var (at, size) = (0, 0)
            while at < count {
                let next = min(count, at + size)
                #expect(await stream.write(content[at..<next]))
                (at, size) = (next, (size * 3 + 1) % 700_000)
            }
            let answer = await stream.finish()
            #expect(answer.isSuccess && answer.uploaded == count, "\(answer)")
            #expect(try await server.seen("a") == "PUT \(count) \(try StreamAsk.md5(content)) whole")
        }
    }

    /// What comes in drops does not cost by their number.
    @Test func drops() async throws {
        try await StreamServer.with { server in
            let content = StreamServer.content(600_000)
            let stream = try CurlStream.start(StreamAsk.put(server, "/put/a", nil), in: StreamAsk.pool())
            for at in stride(from: 0, to: content.count, by: 3) {
                #expect(await stream.write(content[at..<(at + 3)]))
            }
            #expect(await stream.finish().isSuccess)
            #expect(try await server.seen("a") == "PUT 600000 \(try StreamAsk.md5(content)) whole")
        }
    }

    @Test func theRestOfOne() async throws {
        try await StreamServer.with { server in
            let count = 5_000_000
            let rest = try CurlStream.start(
                StreamAsk(server: server.endpoint, path: "/bytes/a/\(count)", from: 1_234_567), in: StreamAsk.pool())
            #expect(await StreamAsk.all(rest) == StreamServer.content(count)[1_234_567...])
            #expect(await rest.finish().isSuccess)
            // The whole where the rest was asked for is no rest.
            let whole = try CurlStream.start(
                StreamAsk(server: server.endpoint, path: "/whole/a/\(count)", from: 1_234_567), in: StreamAsk.pool())
            #expect(await StreamAsk.all(whole).isEmpty)
            #expect(await whole.finish().exitCode == 33)
        }
    }

    /// Who is slow to read holds the server up, at the cost of no memory, and may be slower than the server may.
    @Test func aSlowReader() async throws {
        try await StreamServer.with { server in
            let count = 96 << 20
            let stream = try CurlStream.start(
                StreamAsk(server: server.endpoint, path: "/bytes/a/\(count)", stallSeconds: 1), in: StreamAsk.pool())
            var came = try #require(await stream.read()).count
            // It is time itself that must do nothing: longer than the server may take.
            try await Task.sleep(for: .seconds(2.5))
            let sent = try #require(Int(try await server.seen("a").split(separator: " ")[1]))
            // What the kernel keeps for both ends of a connection included.
            #expect(sent < 32 << 20, "\(sent)")
            while let piece = await stream.read() {
                #expect(piece.count <= CurlFlow.room + (1 << 20), "\(piece.count)")
                came += piece.count
            }
            #expect(came == count)
            #expect(await stream.finish().isSuccess)
        }
    }

    @Test func aSlowWriter() async throws {
        try await StreamServer.with { server in
            var ask = StreamAsk.put(server, "/put/a", 3_000_000)
            ask.stallSeconds = 1
            let content = StreamServer.content(3_000_000)
            let stream = try CurlStream.start(ask, in: StreamAsk.pool())
            for part in 0..<3 {
                #expect(await stream.write(content[(part * 1_000_000)..<((part + 1) * 1_000_000)]))
                try await Task.sleep(for: .seconds(1.4))
            }
            let answer = await stream.finish()
            #expect(answer.isSuccess, "\(answer)")
            #expect(try await server.seen("a") == "PUT 3000000 \(try StreamAsk.md5(content)) whole")
        }
    }

    /// Whoever brings stops where there is no room, and is told each time that there is some again.
    @Test func whoeverBringsIsToldOfRoom() async throws {
        let inflow = CurlInflow()
        let room = DispatchSemaphore(value: 0)
        inflow.connect { room.signal() }
        let piece = StreamServer.content(CurlFlow.room)
        let thread = Thread {
            for _ in 0..<4_000 {
                while !piece.withUnsafeBytes({ inflow.take($0) }) { if !inflow.flush() { room.wait() } }
                _ = inflow.flush()
            }
            inflow.end()
        }
        thread.start()
        var count = 0
        while let data = await inflow.read() { count += data.count }
        #expect(count == 4_000 * piece.count)
    }

    /// An upload does not go out on a connection that the server may be about to close.
    @Test func aConnectionThatWasClosed() async throws {
        try await StreamServer.with { server in
            let connections = CurlConnections()
            for name in ["a", "b", "c"] {
                let stream = try CurlStream.start(
                    StreamAsk.put(server, "/last/\(name)", 100_000), in: StreamAsk.pool(connections))
                #expect(await stream.write(StreamServer.content(100_000)))
                let answer = await stream.finish()
                #expect(answer.isSuccess && !answer.repeated, "\(answer)")
            }
        }
    }

    @Test func noFasterThanAllowed() async throws {
        try await StreamServer.with { server in
            let began = ContinuousClock.now
            var get = StreamAsk(server: server.endpoint, path: "/bytes/a/2000000")
            get.bandwidth = 1_000_000
            let stream = try CurlStream.start(get, in: StreamAsk.pool())
            #expect(await StreamAsk.all(stream).count == 2_000_000)
            #expect(ContinuousClock.now - began > .seconds(1.2))
        }
    }

    /// Downloads that feed uploads, many at once on one thread: none mixes with another, none waits for ever.
    @Test func manyAtOnce() async throws {
        try await StreamServer.with { server in
            let connections = CurlConnections()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<24 {
                    group.addTask {
                        let pool = StreamAsk.pool(connections)
                        let count = 1_500_000 + number * 100_003
                        let from = try CurlStream.start(
                            StreamAsk(server: server.endpoint, path: "/bytes/g\(number)/\(count)"), in: pool)
                        let isKnown = number % 3 > 0
                        let to = try CurlStream.start(
                            StreamAsk.put(server, "/put/p\(number)", isKnown ? count : nil), in: pool)
                        while let piece = await from.read() {
                            // Some stop halfway.
                            if number % 8 == 7 { break }
                            #expect(await to.write(piece))
                        }
                        if number % 8 == 7 {
                            from.abort()
                            to.abort()
                            _ = await (from.finish(), to.finish())
                        } else {
                            #expect(await from.finish().isSuccess)
                            #expect(await to.finish().isSuccess)
                            let md5 = try StreamAsk.md5(StreamServer.content(count))
                            #expect(try await server.seen("p\(number)") == "PUT \(count) \(md5) whole")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
