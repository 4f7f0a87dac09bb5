import Foundation
import HaulModel
import Support
import Testing

@testable import HaulProtocol

/// Several parts of one file on their way at a time.
@Suite(.serialized, .timeLimit(.minutes(15))) struct PartsAtATimeTests {
    private static let size = Bench.least * 5
    /// A part of a file that comes from elsewhere is up to a megabyte longer.
    private static let part = Bench.least + (1 << 20)

    private func with(
        _ settings: [String: JSONValue] = [:], _ body: (StreamPair) async throws -> Void
    ) async throws {
        try await Bench.with { try await body(StreamPair($0, settings)) }
    }

    /// The job's `streams` counts before the worker's setting.
    @Test func aJobSaysHowManyPartsGoAtATime() async throws {
        try await Bench.with { bench in
            let file = try bench.write("from", Bench.content(Self.size))
            for (streams, expected) in [(1, 1), (3, 3)] {
                try await bench.service.set(.init("partNumber=", delay: 0.5))
                let put = try await bench.one(
                    .put, file, "/to-\(streams)", options: ["streams": .int(streams)], settings: Bench.inParts)
                #expect(put.result.isOK)
                #expect(try await bench.service.mostPartsAtATime() == expected)
            }
        }
    }

    /// What is read in order waits in memory for the server: as many parts as there is room for, and no more than are wanted.
    @Test(arguments: [(4, 4, 4), (4, 2, 2), (4, 1, 1), (4, 0, 1), (2, 9, 2), (1, 9, 1)])
    func partsOfAStreamGoAsThereIsRoom(streams: Int, room: Int, expected: Int) async throws {
        try await with(["part_streams": .int(streams), "part_memory": .int(room * Self.part)]) { pair in
            let content = Bench.content(Self.size - Bench.least)
            try pair.bench.write("from", content)
            try await pair.bench.service.set(.init("partNumber=", delay: 2))
            let outcome = try await pair.run(["verify": "checksum"])
            try outcome.ok(bytes: content.count)
            #expect(try outcome.result?.checksum == StreamPair.md5(content))
            #expect(try await pair.there() == content)
            #expect(try await pair.bench.service.mostPartsAtATime() == expected)
            // Each once, and the source was read once.
            #expect(try await pair.sent().sorted() == Array(1...pair.sent().count))
            #expect(outcome.ranges.count == 1, "\(outcome.ranges)")
        }
    }

    /// So does a file of this machine whose checksum is computed as it passes.
    @Test func aFileThatIsHashedToo() async throws {
        try await Bench.with { bench in
            let content = Bench.content(Self.size)
            let file = try bench.write("from", content)
            try await bench.service.set(.init("partNumber=", delay: 0.5))
            let put = try await bench.one(
                .put, file, "/to", options: ["streams": 3, "verify": "checksum"], settings: Bench.inParts)
            #expect(put.result.isOK)
            #expect(try put.result.checksum == StreamPair.md5(content))
            #expect(try await bench.service.mostPartsAtATime() == 3)
            #expect((try await bench.service.read("to")).map { Data($0) } == content)
        }
    }

    /// A part that was read goes up again out of memory, however the source is read.
    @Test func aPartIsSentAgainUnread() async throws {
        try await with { pair in
            let content = Bench.content(Self.size)
            try pair.bench.write("from", content)
            try await pair.bench.service.set(
                .init("partNumber=1&", times: 2, status: 503, code: "SlowDown"),
                .init("partNumber=2&", times: 1, cutUpload: 1 << 20),
                .init("partNumber=4&", times: 3, status: 503, code: "SlowDown"))
            let outcome = try await pair.run(["verify": "checksum"])
            try outcome.ok(bytes: content.count)
            for part in [1, 2, 4] { #expect(outcome.log.contains("part \(part) is sent again"), "\(outcome.log)") }
            #expect(outcome.ranges.count == 1, "\(outcome.ranges)")
            #expect(try outcome.result?.checksum == StreamPair.md5(content))
            #expect(try await pair.there() == content)
        }
    }

    /// Whichever part fails for good: the failure is the server's, nothing is there, and the next attempt makes it whole.
    @Test(arguments: [(1, "size"), (2, "checksum"), (2, "size"), (5, "size")])
    func oneThatFailsIsTold(part: Int, verify: String) async throws {
        try await with { pair in
            let content = Bench.content(Self.size)
            try pair.bench.write("from", content, modified: 1e9)
            try await pair.bench.service.set(.init("partNumber=\(part)&", status: 503, code: "SlowDown"))
            let options: [String: JSONValue] = ["verify": .string(verify)]
            let first = try await pair.run(options)
            #expect(first.result?.errorClass == .busy, "\(first)")
            #expect(try await pair.bench.keys() == [])
            try await pair.bench.service.set()
            let second = try await pair.run(options, attempt: 2)
            try second.ok(bytes: content.count)
            if part > 1 { #expect(second.log.contains("parts are there"), "\(second.log)") }
            #expect(try await pair.there() == content)
            #expect(try await pair.bench.service.uploads() == 0)
        }
    }

    /// A server that refuses for good is not sent the rest, and the failure is its own.
    @Test func aRefusalEndsAll() async throws {
        try await with { pair in
            try pair.bench.write("from", Bench.content(Self.size * 3))
            try await pair.bench.service.set(
                .init("partNumber=1&", status: 403, code: "AccessDenied"), .init("partNumber=", delay: 0.5))
            let outcome = try await pair.run()
            #expect(outcome.result?.errorClass == .permission, "\(outcome)")
            #expect(try await pair.sent().count < 10)
            #expect(try await pair.bench.service.uploads() == 0)
        }
    }

    /// A source that ends before its end: that is why it failed, and what is not a copy is nowhere.
    @Test(arguments: [-5, 5]) func aSourceThatChanges(by change: Int) async throws {
        try await with { pair in
            let file = try pair.bench.write("from", Bench.content(Self.size), modified: 1e9)
            let outcome = try await pair.run(["bandwidth": .int(Self.size / 2)]) {
                truncate(file, off_t(Self.size + change))
            }
            #expect(outcome.result?.errorClass == .busy, "\(outcome)")
            #expect(try await pair.bench.keys() == [])
            #expect(try await pair.bench.service.uploads() == 0)
        }
    }

    /// A cancel while parts wait for the server ends them all.
    @Test func aCancelEndsAll() async throws {
        try await with { pair in
            try pair.bench.write("from", Bench.content(Self.size))
            try await pair.bench.service.set(.init("partNumber=", delay: 30))
            let outcome = try await pair.run(cancelAt: 1)
            #expect(outcome.result?.errorClass == .interrupted, "\(outcome)")
            #expect(try await pair.bench.keys() == [])
            #expect(try await pair.bench.service.uploads() == 0)
        }
    }
}
