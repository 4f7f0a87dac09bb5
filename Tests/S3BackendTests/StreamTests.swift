import Foundation
import HaulModel
import Support
import Testing

@testable import HaulProtocol

/// Large files that come from another protocol, through a pipe, and go up in parts.
@Suite(.serialized, .timeLimit(.minutes(15))) struct StreamTests {
    private static let size = Bench.least * 5

    /// One part after the other, so that it is known what went.
    private func with(_ body: (StreamPair) async throws -> Void) async throws {
        try await Bench.with { try await body(StreamPair($0, ["part_streams": 1])) }
    }

    /// What an attempt that fails in its middle leaves is gone on from: no part goes up twice, and of the source the end of
    /// what is there is read again, or for a checksum all of it, once.
    @Test(arguments: ["size", "checksum"]) func anUploadIsGoneOnWith(_ verify: String) async throws {
        try await with { pair in
            let content = Bench.content(Self.size)
            try pair.bench.write("from", content, modified: 1e9)
            try await pair.bench.service.set(.init("partNumber=4&", status: 503, code: "SlowDown"))
            let options: [String: JSONValue] = ["verify": .string(verify)]
            let first = try await pair.run(options)
            #expect(first.result?.errorClass == .busy, "\(first)")
            #expect(try await pair.sent() == [1, 2, 3, 4, 4, 4, 4])
            #expect(try await pair.bench.keys() == [])
            #expect(try await pair.bench.service.uploads() == 1)
            try await pair.bench.service.set()
            let second = try await pair.run(options, attempt: 2)
            try second.ok(bytes: content.count)
            #expect(second.log.contains("3 of 5 parts are there"), "\(second.log)")
            #expect(try await pair.sent() == [4, 5])
            let again = second.ranges.filter { $0.from == 0 }.count
            #expect(again == (verify == "checksum" ? 1 : 0), "\(second.ranges)")
            if verify == "checksum" { #expect(try second.result?.checksum == StreamPair.md5(content)) }
            #expect(try await pair.there() == content)
            #expect(try await pair.bench.service.uploads() == 0)
        }
    }

    /// A part that breaks off, or that the server is too busy for, is read and goes up again within the attempt.
    @Test(arguments: ["none", "checksum"]) func aPartIsSentAgain(_ verify: String) async throws {
        try await with { pair in
            let content = Bench.content(Self.size)
            try pair.bench.write("from", content)
            try await pair.bench.service.set(
                .init("partNumber=1&", times: 1, cutUpload: 1 << 20),
                .init("partNumber=3&", times: 2, status: 503, code: "SlowDown"))
            let outcome = try await pair.run(["verify": .string(verify)])
            try outcome.ok(bytes: content.count)
            #expect(outcome.log.contains("part 1 is sent again") && outcome.log.contains("part 3 is sent again"))
            if verify == "checksum" { #expect(try outcome.result?.checksum == StreamPair.md5(content)) }
            #expect(try await pair.there() == content)
        }
    }

    /// Another file by now: its parts have other sizes, and what there is of the one before is not looked at.
    @Test func aSourceThatIsAnotherStartsOver() async throws {
        try await with { pair in
            try pair.bench.write("from", Bench.content(Self.size), modified: 1e9)
            try await pair.bench.service.set(.init("partNumber=4&", status: 503, code: "SlowDown"))
            #expect(try await pair.run().result?.errorClass == .busy)
            // As long as before, and only in its beginning another.
            var content = Bench.content(Self.size)
            content[0] ^= 1
            try pair.bench.write("from", content, modified: 1e9 + 1)
            try await pair.bench.service.set()
            let second = try await pair.run(attempt: 2)
            try second.ok(bytes: content.count)
            #expect(!second.log.contains("going on"))
            #expect(try await pair.there() == content)
        }
    }

    /// Cut alike, and yet another: its end tells, and with a checksum each part does.
    @Test func partsOfOtherBytesAreNotGoneOnFrom() async throws {
        try await with { pair in
            let old = Bench.content(Self.size)
            for (verify, place) in [("size", Bench.least * 3), ("checksum", 5)] {
                try pair.bench.write("from", old, modified: 1e9)
                try await pair.bench.service.set(.init("partNumber=4&", status: 503, code: "SlowDown"))
                let options: [String: JSONValue] = ["verify": .string(verify), "overwrite": "always"]
                #expect(try await pair.run(options).result?.errorClass == .busy)
                var content = old
                content[place] ^= 1
                try pair.bench.write("from", content, modified: 1e9)
                try await pair.bench.service.set()
                try (try await pair.run(options, attempt: 2)).ok(bytes: content.count)
                #expect(try await pair.there() == content, "\(verify)")
                #expect(try await pair.bench.service.uploads() == 0, "\(verify)")
            }
        }
    }

    /// What nobody could tell again, or will look for, does not stay: nothing of it was there yet, the server does not tell
    /// what is unfinished, or it was cancelled for good while what is there was looked at.
    @Test func whatNobodyFindsDoesNotStay() async throws {
        try await with { pair in
            try pair.bench.write("from", Bench.content(Self.size), modified: 1e9)
            try await pair.bench.service.set(.init("partNumber=1&", status: 503, code: "SlowDown"))
            #expect(try await pair.run().result?.errorClass == .busy)
            #expect(try await pair.bench.service.uploads() == 0)
            try await pair.bench.service.set(
                .init("partNumber=3&", status: 503, code: "SlowDown"),
                .init("uploads=&prefix=", status: 403, code: "AccessDenied"),
                .init("prefix=to&uploads", status: 403, code: "AccessDenied"))
            #expect(try await pair.run().result?.errorClass == .busy)
            #expect(try await pair.bench.service.uploads() == 0)
            try await pair.bench.service.set(.init("partNumber=5&", status: 503, code: "SlowDown"))
            #expect(try await pair.run().result?.errorClass == .busy)
            #expect(try await pair.bench.service.uploads() == 1)
            try await pair.bench.service.set()
            let cancelled = try await pair.run(["bandwidth": .int(Bench.least * 2)], attempt: 2, cancelAt: 1)
            #expect(cancelled.result?.errorClass == .interrupted, "\(cancelled)")
            #expect(try await pair.bench.service.uploads() == 0)
        }
    }

    /// A server that tells unfinished uploads and not their parts is no failure: the file begins anew.
    @Test func partsThatAreNotToldAreSentAgain() async throws {
        try await with { pair in
            let content = Bench.content(Self.size)
            try pair.bench.write("from", content, modified: 1e9)
            try await pair.bench.service.set(.init("partNumber=4&", status: 503, code: "SlowDown"))
            #expect(try await pair.run().result?.errorClass == .busy)
            try await pair.bench.service.set(.init("part-number-marker", status: 403, code: "AccessDenied"))
            try (try await pair.run(attempt: 2)).ok(bytes: content.count)
            #expect(try await pair.there() == content)
        }
    }

    /// From one endpoint to another, through the worker.
    @Test func aCopyBetweenEndpointsIsGoneOnWith() async throws {
        try await Bench.with { bench in
            try await Bench.with { other in
                let content = Bench.content(Self.size)
                #expect(try await bench.one(.put, bench.write("from", content), "/from").result.isOK)
                let there = try SiteSpec(
                    site: "b", endpoints: [other.service.endpoint],
                    options: ["bucket": .string(S3Service.bucket)],
                    credentials: ["s3-key": other.credential("key", "\(S3Service.accessKey):\(S3Service.secretKey)\n")])
                try await other.service.set(.init("partNumber=4&", status: 503, code: "SlowDown"))
                let first = try await bench.one(.copy, "/from", "/to", settings: Bench.inParts, destination: there)
                #expect(first.result.errorClass == .busy, "\(first)")
                try await other.service.set()
                let second = try await bench.one(
                    .copy, "/from", "/to", attempt: 2, settings: Bench.inParts, destination: there)
                #expect(second.result.isOK && second.log.contains("3 of 5 parts are there"), "\(second)")
                #expect((try await other.service.read("to")).map { Data($0) } == content)
            }
        }
    }

    /// What is there under the name stays until what takes its place is known to be a copy.
    @Test func aFileThatGrowsTakesNothingsPlace() async throws {
        try await Bench.with { bench in
            #expect(try await bench.one(.put, bench.write("old", "old"), "/to").result.isOK)
            let file = try bench.write("from", Bench.content(Self.size))
            try await bench.service.set(.init("partNumber=5&", times: 1, delay: 0.5))
            let put = try await bench.one(
                .put, file, "/to", last: true, options: ["overwrite": "always"], settings: Bench.inParts
            ) { event, _ in
                guard case .progress = event else { return }
                truncate(file, off_t(Self.size + 1))
            }
            #expect(put.result.errorClass == .busy, "\(put)")
            #expect((try await bench.service.read("to")).map { Data($0) } == Data("old".utf8))
            #expect(try await bench.service.uploads() == 0)
        }
    }

    /// Nobody goes on from what went up of a source that is another before its end.
    @Test func aSourceThatChangesMeanwhileLeavesNothing() async throws {
        try await with { pair in
            for change in [-5, 5] {
                let file = try pair.bench.write("from", Bench.content(Self.size), modified: 1e9)
                let outcome = try await pair.run(["bandwidth": .int(Self.size / 2)]) {
                    truncate(file, off_t(Self.size + change))
                }
                #expect(outcome.result?.errorClass == .busy, "\(outcome)")
                #expect(try await pair.bench.keys() == [])
                #expect(try await pair.bench.service.uploads() == 0)
            }
        }
    }

    /// Its bytes keep to the job's rate, whichever way they come; no test can say that they are not too slow.
    @Test func partsKeepToTheBandwidth() async throws {
        try await with { pair in
            let content = Bench.content(Self.size)
            let file = try pair.bench.write("from", content)
            let options: [String: JSONValue] = ["bandwidth": .int(Self.size / 3)]
            for isStreamed in [true, false] {
                let began = ContinuousClock.now
                if isStreamed {
                    try (try await pair.run(options)).ok(bytes: content.count)
                } else {
                    let put = try await pair.bench.one(.put, file, "/put", options: options, settings: Bench.inParts)
                    #expect(put.result.isOK)
                }
                #expect(ContinuousClock.now - began > .seconds(2))
            }
        }
    }
}
