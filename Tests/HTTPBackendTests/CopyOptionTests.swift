import Foundation
import HaulModel
import HaulProtocol
import Testing

/// How a copy is made, as its options say.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CopyOptionTests {
    @Test(arguments: Kind.allCases) func syncCopiesWhatDiffers(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, b in
            func touch(_ path: String, _ seconds: Int) {
                let time = timespec(tv_sec: seconds, tv_nsec: 0)
                utimensat(AT_FDCWD, path, [time, time], 0)
            }
            let now = Int(Date().timeIntervalSince1970)
            try bench.write(bench.a + "/from", "content")
            touch(bench.a + "/from", now - 1000)
            let sync: [String: JSONValue] = ["sync": true]
            func copy(_ more: [String: JSONValue] = [:]) async throws -> ElementResult {
                try await bench.one(
                    bench.batch(.copy, a, to: b, options: sync.merging(more) { $1 }), "/from", "/to"
                ).result
            }
            #expect(try await copy().isOK)
            #expect(try await copy().transferred == 0)
            // The server keeps its own times: what is there must not be older than its source.
            try bench.write(bench.a + "/from", "CONTENT")
            touch(bench.a + "/from", now - 900)
            #expect(try await copy().transferred == 0)
            let checked = try await copy(["verify": "checksum", "checksum_algorithm": "adler32"])
            #expect(checked.checksum == "adler32:084b021c" && bench.read(bench.b + "/to") == "CONTENT")
            try bench.write(bench.a + "/from", "newerer")
            touch(bench.b + "/to", now - 2000)
            #expect(try await copy().isOK)
            #expect(bench.read(bench.b + "/to") == "newerer")
            // On the worker's disk times are kept, and compared for equality.
            let local = bench.folder + "/local/file"
            let get = bench.batch(.get, a, options: sync)
            #expect(try await bench.one(get, "/from", local).result.transferred == 7)
            #expect(try await bench.one(get, "/from", local).result.transferred == 0)
            touch(bench.a + "/from", now - 3000)
            #expect(try await bench.one(get, "/from", local).result.transferred == 7)
        }
    }

    @Test(arguments: Kind.allCases) func theBandwidthIsKept(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, b in
            let content = Data(count: 12 << 20)
            try bench.write(bench.a + "/large", content)
            try bench.write(bench.a + "/small", content.prefix(1 << 20))
            #expect(
                try await bench.one(bench.batch(.copy, a, to: a), "/large", "/free").outcome.logs.contains {
                    $0.contains("COPY")
                })
            for (name, rate, least) in [("large", 12 << 20, 990), ("small", 1 << 19, 500)] {
                let options: [String: JSONValue] = ["bandwidth": .int(rate), "overwrite": "always"]
                for (batch, to) in [
                    (bench.batch(.copy, a, to: a, options: options), "/slow-\(name)"),
                    (bench.batch(.get, a, options: options), bench.folder + "/local/\(name)"),
                ] {
                    let began = ContinuousClock.now
                    let (result, outcome) = try await bench.one(batch, "/" + name, to)
                    #expect(result.isOK && !outcome.logs.contains { $0.contains("COPY") }, "\(result)")
                    #expect(ContinuousClock.now - began >= .milliseconds(least), "\(name) \(to)")
                }
            }
            #expect(FileManager.default.contents(atPath: bench.a + "/slow-large") == content)
            #expect(bench.read(bench.b + "/large") == nil)
        }
    }

    /// Of what arrived before the kill, nearly nothing is asked for again. Slow enough that two tellings of progress, half a
    /// second apart, fall into the last fifth.
    @Test(arguments: Kind.allCases) func aKilledGetAsksForLittleAgain(_ kind: Kind) async throws {
        try await kind.withServers { bench, a, _ in
            let size = 48 << 20
            try bench.write(bench.a + "/large", Data((0..<size).map { UInt8(truncatingIfNeeded: $0 >> 9) }))
            let local = bench.folder + "/to/large"
            let slow = bench.batch(.get, a, options: ["bandwidth": .int(8 << 20)])
            let (killed, _) = try await bench.one(slow, "/large", local) {
                if case .progress(_, let progress) = $0, progress.transferred > size * 8 / 10, let run = $1 {
                    kill(run.pid, SIGKILL)
                }
            }
            #expect(killed.errorClass == .backend)
            // The worker removes it with all that is in it.
            for name in bench.names(bench.folder + "/scratch") { unlink(bench.folder + "/scratch/" + name) }
            let (result, outcome) = try await bench.one(bench.batch(.get, a), "/large", local, attempt: 2)
            #expect(result.isOK && result.transferred == size)
            let log = outcome.logs.joined(separator: "\n")
            let start = try #require(log.firstMatch(of: /going on from byte (\d+)/), "\(log)").output.1
            #expect(Int(start) ?? 0 > size * 7 / 10)
            #expect(FileManager.default.contentsEqual(atPath: local, andPath: bench.a + "/large"))
            #expect(bench.names(bench.folder + "/to") == ["large"])
        }
    }
}
