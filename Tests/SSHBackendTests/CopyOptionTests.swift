import Foundation
import HaulModel
import HaulProtocol
import Testing

/// How a copy is made, as its options say, against OpenSSH's server.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct CopyOptionTests {
    @Test func syncCopiesWhatDiffers() async throws {
        try await Bench.with { bench in
            try bench.write("from", "content")
            try bench.setModified("from", 1_234_567_890)
            let sync = bench.batch(.copy, ["sync": true])
            #expect(try await bench.one(sync, "from", "to").result.isOK)
            let again = try await bench.one(sync, "from", "to")
            #expect(again.result.isOK && again.result.transferred == 0)
            #expect(again.outcome.log.contains("there already, equal in size and time"))
            try bench.write("from", "CONTENT")
            try bench.setModified("from", 1_234_567_889)
            #expect(try await bench.one(sync, "from", "to").result.isOK)
            #expect(bench.text("to") == "CONTENT")
            #expect(bench.status("to")?.st_mtim.tv_sec == 1_234_567_889)
            // Equal in size and time, and not in content: seen where checksums are asked for.
            try bench.write("from", "Content")
            try bench.setModified("from", 1_234_567_889)
            #expect(try await bench.one(sync, "from", "to").result.transferred == 0)
            let checked = bench.batch(.copy, ["sync": true, "verify": "checksum", "checksum_algorithm": "adler32"])
            let mended = try await bench.one(checked, "from", "to").result
            #expect(mended.isOK && bench.text("to") == "Content")
            #expect(mended.checksum == "adler32:0aeb02dc")
            let local = bench.folder + "/spool/file"
            let get = bench.batch(.get, ["sync": true])
            #expect(try await bench.one(get, "from", local).result.transferred == 7)
            #expect(try await bench.one(get, "from", local).result.transferred == 0)
        }
    }

    @Test func theBandwidthIsKept() async throws {
        try await Bench.with { bench in
            try bench.write("from", Data(count: 512 << 10))
            let free = try await bench.one(bench.batch(.copy), "from", "free")
            #expect(free.outcome.log.contains("copies within itself"))
            let began = ContinuousClock.now
            let slow = try await bench.one(bench.batch(.copy, ["bandwidth": 524_288]), "from", "slow")
            #expect(slow.result.isOK && !slow.outcome.log.contains("copies within itself"))
            #expect(ContinuousClock.now - began >= .milliseconds(990))
            #expect(bench.data("slow") == bench.data("from"))
        }
    }

    /// Of what arrived before the kill, nearly nothing goes over the wire again. Slow enough that two tellings of progress,
    /// half a second apart, fall into the last fifth.
    @Test func aKilledGetSendsLittleAgain() async throws {
        try await Bench.with { bench in
            try bench.writeLarge("large", mebibytes: 48)
            let (size, local) = (48 << 20, bench.folder + "/to/large")
            let (killed, _) = try await bench.one(bench.batch(.get, ["bandwidth": .int(8 << 20)]), "large", local) {
                if case .progress(_, let progress) = $0, progress.transferred > size * 8 / 10, let run = $1 {
                    kill(run.pid, SIGKILL)
                }
            }
            #expect(killed.errorClass == .backend)
            let (result, outcome) = try await bench.one(bench.batch(.get), "large", local, attempt: 2)
            #expect(result.isOK && result.transferred == size)
            let start = try #require(outcome.log.firstMatch(of: /going on from byte (\d+)/)).output.1
            #expect(Int(start) ?? 0 > size * 7 / 10)
            #expect(FileManager.default.contents(atPath: local) == bench.data("large"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/to") == ["large"])
        }
    }
}
