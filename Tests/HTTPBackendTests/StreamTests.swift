import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import HaulCurl

/// Bodies that pass through this process as they come.
@Suite(.serialized, .timeLimit(.minutes(3))) struct StreamTests {
    private struct Ask: CurlRequest {
        let server: String
        var method = "GET"
        let path: String
        var sent = CurlCall.Sent.nothing
        var from = 0
        var bandwidth: Int?
        var stallSeconds = 20

        func call() -> CurlCall {
            var call = CurlCall(
                method: method, url: "http://\(server)\(path)", connection: CurlConnection(), stallSeconds: stallSeconds
            )
            (call.sent, call.from, call.bandwidth) = (sent, from, bandwidth)
            if method == "GET" { call.kept = .stream }
            return call
        }
    }

    private static func pool(_ connections: CurlConnections = CurlConnections()) -> CurlPool {
        CurlPool(roof: 1 << 20, most: .max, connections: connections)
    }

    private static func put(_ server: StreamServer, _ path: String, _ length: Int?) -> Ask {
        Ask(server: server.endpoint, method: "PUT", path: path, sent: .stream(length: length))
    }

    private static func all(_ stream: CurlStream) async -> Data {
        var data = Data()
        while let piece = await stream.read() { data += piece }
        return data
    }

    private static func md5(_ data: Data) throws -> String {
        let hash = try StreamHash(.md5)
        data.withUnsafeBytes { hash.update($0) }
        return String(hash.finish().dropFirst("md5:".count))
    }

    @Test(arguments: [0, 1, 16_384, 1 << 20, 20_000_001]) func comes(_ count: Int) async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(Ask(server: server.endpoint, path: "/bytes/a/\(count)"), in: Self.pool())
            #expect(await Self.all(stream) == StreamServer.content(count))
            let answer = await stream.finish()
            #expect(answer.isSuccess && answer.downloaded == count && answer.contentLength == count, "\(answer)")
            #expect(await stream.read() == nil)
        }
    }

    @Test(arguments: [0, 1, 70_000, 20_000_001], [true, false])
    func leaves(_ count: Int, _ isAnnounced: Bool) async throws {
        try await StreamServer.with { server in
            let content = StreamServer.content(count)
            let stream = try CurlStream.start(Self.put(server, "/put/a", isAnnounced ? count : nil), in: Self.pool())
            // Pieces of many sizes, empty ones among them.
            var (at, size) = (0, 0)
            while at < count {
                let next = min(count, at + size)
                #expect(await stream.write(content[at..<next]))
                (at, size) = (next, (size * 3 + 1) % 700_000)
            }
            let answer = await stream.finish()
            #expect(answer.isSuccess && answer.uploaded == count, "\(answer)")
            #expect(try await server.seen("a") == "PUT \(count) \(try Self.md5(content)) whole")
        }
    }

    /// What comes in drops does not cost by their number.
    @Test func drops() async throws {
        try await StreamServer.with { server in
            let content = StreamServer.content(600_000)
            let stream = try CurlStream.start(Self.put(server, "/put/a", nil), in: Self.pool())
            for at in stride(from: 0, to: content.count, by: 3) {
                #expect(await stream.write(content[at..<(at + 3)]))
            }
            #expect(await stream.finish().isSuccess)
            #expect(try await server.seen("a") == "PUT 600000 \(try Self.md5(content)) whole")
        }
    }

    @Test func theRestOfOne() async throws {
        try await StreamServer.with { server in
            let count = 5_000_000
            let rest = try CurlStream.start(
                Ask(server: server.endpoint, path: "/bytes/a/\(count)", from: 1_234_567), in: Self.pool())
            #expect(await Self.all(rest) == StreamServer.content(count)[1_234_567...])
            #expect(await rest.finish().isSuccess)
            // The whole where the rest was asked for is no rest.
            let whole = try CurlStream.start(
                Ask(server: server.endpoint, path: "/whole/a/\(count)", from: 1_234_567), in: Self.pool())
            #expect(await Self.all(whole).isEmpty)
            #expect(await whole.finish().exitCode == 33)
        }
    }

    @Test func anErrorsPageIsNoContent() async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(Ask(server: server.endpoint, path: "/missing/a/50000"), in: Self.pool())
            #expect(await stream.read() == nil)
            let answer = await stream.finish()
            #expect(answer.status == 404 && answer.errorClass == .notFound)
        }
    }

    /// What a server says of another place is no content, either.
    @Test func aRedirectsPageIsNoContent() async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(Ask(server: server.endpoint, path: "/moved/a/50000"), in: Self.pool())
            #expect(await stream.read() == nil)
            let answer = await stream.finish()
            #expect(answer.status == 301 && answer.errorClass == .invalid, "\(answer)")
        }
    }

    @Test func aBodyThatBreaksOff() async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(Ask(server: server.endpoint, path: "/cut/a/4000000"), in: Self.pool())
            let came = await Self.all(stream)
            #expect(came == StreamServer.content(4_000_000).prefix(came.count) && came.count >= 2_000_000)
            let answer = await stream.finish()
            #expect(answer.exitCode == 18 && answer.errorClass == .interrupted, "\(answer)")
        }
    }

    /// Who is slow to read holds the server up, at the cost of no memory, and may be slower than the server may.
    @Test func aSlowReader() async throws {
        try await StreamServer.with { server in
            let count = 96 << 20
            let stream = try CurlStream.start(
                Ask(server: server.endpoint, path: "/bytes/a/\(count)", stallSeconds: 1), in: Self.pool())
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
            var ask = Self.put(server, "/put/a", 3_000_000)
            ask.stallSeconds = 1
            let content = StreamServer.content(3_000_000)
            let stream = try CurlStream.start(ask, in: Self.pool())
            for part in 0..<3 {
                #expect(await stream.write(content[(part * 1_000_000)..<((part + 1) * 1_000_000)]))
                try await Task.sleep(for: .seconds(1.4))
            }
            let answer = await stream.finish()
            #expect(answer.isSuccess, "\(answer)")
            #expect(try await server.seen("a") == "PUT 3000000 \(try Self.md5(content)) whole")
        }
    }

    /// A server that does nothing is given up.
    @Test func aServerThatStandsStill() async throws {
        try await StreamServer.with { server in
            let began = ContinuousClock.now
            var get = Ask(server: server.endpoint, path: "/stall/a/4000000")
            get.stallSeconds = 1
            let download = try CurlStream.start(get, in: Self.pool())
            #expect(await Self.all(download).count >= 2_000_000)
            var answer = await download.finish()
            #expect(answer.exitCode == 28 && answer.errorClass == .timeout, "\(answer)")
            #expect(answer.message == "nothing moved for 1 seconds")

            var put = Self.put(server, "/deaf/b", 64 << 20)
            put.stallSeconds = 1
            let upload = try CurlStream.start(put, in: Self.pool())
            let piece = StreamServer.content(1 << 20)
            var count = 0
            while count < 64, await upload.write(piece) { count += 1 }
            #expect(count < 64)
            answer = await upload.finish()
            #expect(answer.errorClass == .timeout, "\(answer)")
            #expect(ContinuousClock.now - began < .seconds(15))
        }
    }

    /// What was announced and does not come, or more of it than that, never passes for the whole.
    @Test func anotherLength() async throws {
        try await StreamServer.with { server in
            let short = try CurlStream.start(Self.put(server, "/put/short", 2_000_000), in: Self.pool())
            #expect(await short.write(StreamServer.content(1_999_999)))
            var answer = await short.finish()
            #expect(answer.exitCode == 26 && !answer.isSuccess, "\(answer)")
            #expect(answer.message == "2000000 bytes were announced, 1999999 came")
            try await eventually("it is cut") { try await server.seen("short").hasSuffix("cut") }

            let long = try CurlStream.start(Self.put(server, "/put/long", 2_000_000), in: Self.pool())
            _ = await long.write(StreamServer.content(2_000_001))
            answer = await long.finish()
            #expect(!answer.isSuccess && answer.exitCode == 26, "\(answer)")
            #expect(try await !server.seen("long").hasSuffix("whole"))

            let late = try CurlStream.start(Self.put(server, "/put/late", 2_000_000), in: Self.pool())
            #expect(await late.write(StreamServer.content(2_000_000)))
            let isTaken = await late.write(Data(count: 1))
            #expect(await late.finish().isSuccess == !isTaken)
        }
    }

    /// A server that says at once that all is well has not got what was to be sent.
    @Test func anAnswerThatComesTooSoon() async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(Self.put(server, "/hasty/a", 3 << 20), in: Self.pool())
            let piece = StreamServer.content(1 << 20)
            for _ in 0..<3 { if await !stream.write(piece) { break } }
            let answer = await stream.finish()
            #expect(answer.status == 201 && !answer.isSuccess && answer.errorClass == .interrupted, "\(answer)")
        }
    }

    /// To the server what is given up is cut off, also where nobody had said how long it would be.
    @Test func givenUpIsNoEnd() async throws {
        try await StreamServer.with { server in
            for number in 0..<30 {
                let stream = try CurlStream.start(Self.put(server, "/put/a\(number)", nil), in: Self.pool())
                #expect(await stream.write(StreamServer.content(100_000)))
                try await eventually("some of it is there") { try await !server.seen("a\(number)").isEmpty }
                stream.abort()
                _ = await stream.finish()
                try await eventually("it is cut") { try await server.seen("a\(number)").hasSuffix("cut") }
            }
        }
    }

    /// A request that found no server leaves nothing behind that the next one stumbles over.
    @Test func afterANameThatIsNone() async throws {
        try await StreamServer.with { server in
            let connections = CurlConnections()
            // Too long for a name: nobody is asked for it.
            let nobody = Ask(server: String(repeating: "a", count: 64) + ":1", path: "/")
            for _ in 0..<3 {
                let answer = try await CurlPool(roof: 1 << 20, connections: connections).perform(Quiet(ask: nobody))
                #expect(answer.errorClass == .connect, "\(answer)")
            }
            for _ in 0..<3 {
                let stream = try CurlStream.start(
                    Ask(server: server.endpoint, path: "/bytes/a/100000"), in: Self.pool(connections))
                #expect(await Self.all(stream).count == 100_000)
                #expect(await stream.finish().isSuccess)
            }
        }
    }

    private struct Quiet: CurlRequest {
        let ask: Ask
        var server: String { ask.server }

        func call() -> CurlCall {
            var call = ask.call()
            call.kept = .nothing
            return call
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

    @Test func aRefusal() async throws {
        try await StreamServer.with { server in
            for (path, status, kind) in [("/refuse/a", 403, ErrorClass.permission), ("/midway/b", 507, .noSpace)] {
                let stream = try CurlStream.start(Self.put(server, path, 512 << 20), in: Self.pool())
                let piece = StreamServer.content(1 << 20)
                var count = 0
                while count < 512, await stream.write(piece) { count += 1 }
                #expect(count < 512)
                let answer = await stream.finish()
                #expect(answer.status == status && answer.errorClass == kind, "\(answer)")
                #expect(await !stream.write(piece))
            }
        }
    }

    @Test func givenUp() async throws {
        try await StreamServer.with { server in
            let download = try CurlStream.start(
                Ask(server: server.endpoint, path: "/bytes/a/\(256 << 20)"), in: Self.pool())
            _ = try #require(await download.read())
            download.abort()
            // What had come already, at most.
            while let piece = await download.read() { #expect(piece.count <= CurlFlow.room + (1 << 20)) }
            #expect(await download.finish().errorClass == .interrupted)
            try await eventually("the download is cut") { try await server.seen("a").hasSuffix("cut") }

            let upload = try CurlStream.start(Self.put(server, "/put/b", 256 << 20), in: Self.pool())
            #expect(await upload.write(StreamServer.content(3 << 20)))
            upload.abort()
            #expect(await !upload.write(Data(count: 1)))
            #expect(await upload.finish().errorClass == .interrupted)
            try await eventually("the upload is cut") { try await server.seen("b").hasSuffix("cut") }

            // Before it began.
            let early = try CurlStream.start(Self.put(server, "/put/c", 5), in: Self.pool())
            early.abort()
            #expect(await !early.finish().isSuccess)
        }
    }

    /// A reader, and a writer, that wait are told when another gives the request up.
    @Test func givenUpByAnother() async throws {
        try await StreamServer.with { server in
            let download = try CurlStream.start(Ask(server: server.endpoint, path: "/stall/a/4000000"), in: Self.pool())
            let upload = try CurlStream.start(Self.put(server, "/deaf/b", 512 << 20), in: Self.pool())
            async let came = Self.all(download).count
            async let left = {
                var count = 0
                while count < 512, await upload.write(StreamServer.content(1 << 20)) { count += 1 }
                return count
            }()
            try await eventually("it stands still") { try await server.seen("a").split(separator: " ").count == 2 }
            download.abort()
            upload.abort()
            #expect(await came <= 2_100_000)
            #expect(await left < 512)
            _ = await (download.finish(), upload.finish())
        }
    }

    /// An upload does not go out on a connection that the server may be about to close.
    @Test func aConnectionThatWasClosed() async throws {
        try await StreamServer.with { server in
            let connections = CurlConnections()
            for name in ["a", "b", "c"] {
                let stream = try CurlStream.start(
                    Self.put(server, "/last/\(name)", 100_000), in: Self.pool(connections))
                #expect(await stream.write(StreamServer.content(100_000)))
                let answer = await stream.finish()
                #expect(answer.isSuccess && !answer.repeated, "\(answer)")
            }
        }
    }

    @Test func noFasterThanAllowed() async throws {
        try await StreamServer.with { server in
            let began = ContinuousClock.now
            var get = Ask(server: server.endpoint, path: "/bytes/a/2000000")
            get.bandwidth = 1_000_000
            let stream = try CurlStream.start(get, in: Self.pool())
            #expect(await Self.all(stream).count == 2_000_000)
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
                        let pool = Self.pool(connections)
                        let count = 1_500_000 + number * 100_003
                        let from = try CurlStream.start(
                            Ask(server: server.endpoint, path: "/bytes/g\(number)/\(count)"), in: pool)
                        let isKnown = number % 3 > 0
                        let to = try CurlStream.start(
                            Self.put(server, "/put/p\(number)", isKnown ? count : nil), in: pool)
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
                            let md5 = try Self.md5(StreamServer.content(count))
                            #expect(try await server.seen("p\(number)") == "PUT \(count) \(md5) whole")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
