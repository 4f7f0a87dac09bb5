import Foundation
import HaulModel
import HaulProtocol
import Support
import Testing

@testable import HaulCurl

/// Bodies that stream to and from servers that break off, refuse, lie or do nothing, and those that are given up.
@Suite(.serialized, .timeLimit(.minutes(10))) struct StreamFaultTests {
    @Test func anErrorsPageIsNoContent() async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(
                StreamAsk(server: server.endpoint, path: "/missing/a/50000"), in: StreamAsk.pool())
            #expect(await stream.read() == nil)
            let answer = await stream.finish()
            #expect(answer.status == 404 && answer.errorClass == .notFound)
        }
    }

    /// What a server says of another place is no content, either.
    @Test func aRedirectsPageIsNoContent() async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(
                StreamAsk(server: server.endpoint, path: "/moved/a/50000"), in: StreamAsk.pool())
            #expect(await stream.read() == nil)
            let answer = await stream.finish()
            #expect(answer.status == 301 && answer.errorClass == .invalid, "\(answer)")
        }
    }

    @Test func aBodyThatBreaksOff() async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(
                StreamAsk(server: server.endpoint, path: "/cut/a/4000000"), in: StreamAsk.pool())
            let came = await StreamAsk.all(stream)
            #expect(came == StreamServer.content(4_000_000).prefix(came.count) && came.count >= 2_000_000)
            let answer = await stream.finish()
            #expect(answer.exitCode == 18 && answer.errorClass == .interrupted, "\(answer)")
        }
    }

    /// A server that does nothing is given up.
    @Test func aServerThatStandsStill() async throws {
        try await StreamServer.with { server in
            let began = ContinuousClock.now
            var get = StreamAsk(server: server.endpoint, path: "/stall/a/4000000")
            get.stallSeconds = 1
            let download = try CurlStream.start(get, in: StreamAsk.pool())
            #expect(await StreamAsk.all(download).count >= 2_000_000)
            var answer = await download.finish()
            #expect(answer.exitCode == 28 && answer.errorClass == .timeout, "\(answer)")
            #expect(answer.message == "nothing moved for 1 seconds")

            var put = StreamAsk.put(server, "/deaf/b", 64 << 20)
            put.stallSeconds = 1
            let upload = try CurlStream.start(put, in: StreamAsk.pool())
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
            let short = try CurlStream.start(StreamAsk.put(server, "/put/short", 2_000_000), in: StreamAsk.pool())
            #expect(await short.write(StreamServer.content(1_999_999)))
            var answer = await short.finish()
            #expect(answer.exitCode == 26 && !answer.isSuccess, "\(answer)")
            #expect(answer.message == "2000000 bytes were announced, 1999999 came")
            try await eventually("it is cut") { try await server.seen("short").hasSuffix("cut") }

            let long = try CurlStream.start(StreamAsk.put(server, "/put/long", 2_000_000), in: StreamAsk.pool())
            _ = await long.write(StreamServer.content(2_000_001))
            answer = await long.finish()
            #expect(!answer.isSuccess && answer.exitCode == 26, "\(answer)")
            #expect(try await !server.seen("long").hasSuffix("whole"))

            let late = try CurlStream.start(StreamAsk.put(server, "/put/late", 2_000_000), in: StreamAsk.pool())
            #expect(await late.write(StreamServer.content(2_000_000)))
            let isTaken = await late.write(Data(count: 1))
            #expect(await late.finish().isSuccess == !isTaken)
        }
    }

    /// A server that says at once that all is well has not got what was to be sent.
    @Test func anAnswerThatComesTooSoon() async throws {
        try await StreamServer.with { server in
            let stream = try CurlStream.start(StreamAsk.put(server, "/hasty/a", 3 << 20), in: StreamAsk.pool())
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
                let stream = try CurlStream.start(StreamAsk.put(server, "/put/a\(number)", nil), in: StreamAsk.pool())
                #expect(await stream.write(StreamServer.content(100_000)))
                try await eventually("some of it is there") { try await !server.seen("a\(number)").isEmpty }
                stream.abort()
                _ = await stream.finish()
                try await eventually("it is cut") { try await server.seen("a\(number)").hasSuffix("cut") }
            }
        }
        // What libcurl asks for between the two: no bytes would be the end of it.
        let outflow = CurlOutflow(length: nil)
        outflow.end()
        var room = [UInt8](repeating: 0, count: 16)
        let filled = room.withUnsafeMutableBytes { outflow.fill($0) }
        #expect(filled == .abort)
    }

    /// A request that found no server leaves nothing behind that the next one stumbles over.
    @Test func afterANameThatIsNone() async throws {
        try await StreamServer.with { server in
            let connections = CurlConnections()
            // Too long for a name: nobody is asked for it.
            let nobody = StreamAsk(server: String(repeating: "a", count: 64) + ":1", path: "/")
            for _ in 0..<3 {
                let answer = try await CurlPool(roof: 1 << 20, connections: connections).perform(Quiet(ask: nobody))
                #expect(answer.errorClass == .connect, "\(answer)")
            }
            for _ in 0..<3 {
                let stream = try CurlStream.start(
                    StreamAsk(server: server.endpoint, path: "/bytes/a/100000"), in: StreamAsk.pool(connections))
                #expect(await StreamAsk.all(stream).count == 100_000)
                #expect(await stream.finish().isSuccess)
            }
        }
    }

    private struct Quiet: CurlRequest {
        let ask: StreamAsk
        var server: String { ask.server }

        func call() -> CurlCall {
            var call = ask.call()
            call.kept = .nothing
            return call
        }
    }

    @Test func aRefusal() async throws {
        try await StreamServer.with { server in
            for (path, status, kind) in [("/refuse/a", 403, ErrorClass.permission), ("/midway/b", 507, .noSpace)] {
                let stream = try CurlStream.start(StreamAsk.put(server, path, 512 << 20), in: StreamAsk.pool())
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
                StreamAsk(server: server.endpoint, path: "/bytes/a/\(256 << 20)"), in: StreamAsk.pool())
            _ = try #require(await download.read())
            download.abort()
            // What had come already, at most.
            while let piece = await download.read() { #expect(piece.count <= CurlFlow.room + (1 << 20)) }
            #expect(await download.finish().errorClass == .interrupted)
            try await eventually("the download is cut") { try await server.seen("a").hasSuffix("cut") }

            let upload = try CurlStream.start(StreamAsk.put(server, "/put/b", 256 << 20), in: StreamAsk.pool())
            #expect(await upload.write(StreamServer.content(3 << 20)))
            upload.abort()
            #expect(await !upload.write(Data(count: 1)))
            #expect(await upload.finish().errorClass == .interrupted)
            try await eventually("the upload is cut") { try await server.seen("b").hasSuffix("cut") }

            // Before it began.
            let early = try CurlStream.start(StreamAsk.put(server, "/put/c", 5), in: StreamAsk.pool())
            early.abort()
            #expect(await !early.finish().isSuccess)
        }
    }

    /// A reader, and a writer, that wait are told when another gives the request up.
    @Test func givenUpByAnother() async throws {
        try await StreamServer.with { server in
            let download = try CurlStream.start(
                StreamAsk(server: server.endpoint, path: "/stall/a/4000000"), in: StreamAsk.pool())
            let upload = try CurlStream.start(StreamAsk.put(server, "/deaf/b", 512 << 20), in: StreamAsk.pool())
            async let came = StreamAsk.all(download).count
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
}
