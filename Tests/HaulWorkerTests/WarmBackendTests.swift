import Foundation
import HaulModel
import HaulProtocol
import HaulWire
import Support
import Testing

@testable import HaulWorker

/// One process serves batch after batch at the same sites, for a while.
@Suite(.timeLimit(.minutes(5))) struct WarmBackendTests {
    private func run(_ bench: Bench, _ job: Int, options: String = "{}", from: String = "fake") async throws {
        let before = bench.server.outcomes.count
        bench.server.hand(Claims.job(job, ["/a", "/b"], from: from, options: options))
        try await eventually("job \(job) is reported") { bench.server.outcomes.count == before + 2 }
        #expect(bench.server.outcomes.suffix(2).allSatisfy { $0.outcome.returncode == 0 })
    }

    @Test func theNextBatchFindsItThere() async throws {
        let bench = try Bench {
            $0.slots = 2
            $0.idleSeconds = 60
        }
        try await run(bench, 1)
        let first = bench.backends
        #expect(first.count == 1)
        for job in 2...5 { try await run(bench, job) }
        #expect(bench.backends == first)
        // Other options are another kind of batch.
        try await run(bench, 6, options: #"{"verify": "none"}"#)
        #expect(bench.backends.count == 2)
        // No more than there are slots: who has waited longest goes.
        try await run(bench, 7, options: #"{"overwrite": "always"}"#)
        #expect(bench.backends.count == 2 && Set(bench.backends).isDisjoint(with: first))
        await bench.close()
        #expect(bench.backends.isEmpty)
    }

    @Test func notForLong() async throws {
        let bench = try Bench { $0.idleSeconds = 0.2 }
        try await run(bench, 1)
        try await eventually("it has ended") { bench.backends.isEmpty }
        try await eventually("its folder goes with it") {
            try FileManager.default.contentsOfDirectory(atPath: bench.folder + "/scratch").isEmpty
        }
        await bench.close()
        let hasty = try Bench { $0.idleSeconds = 0 }
        try await run(hasty, 1)
        try await eventually("none is kept") { hasty.backends.isEmpty }
        await hasty.close()
    }

    /// A protocol that does not say that its processes may be used again has one a batch.
    @Test func onlyWhereTheManifestSaysSo() async throws {
        let folder = try Folder()
        let text = try String(contentsOfFile: Built.repository + "/protocols/fake/protocol.json", encoding: .utf8)
        try FileManager.default.createDirectory(atPath: folder.path + "/fake", withIntermediateDirectories: true)
        try text.replacing("\"reuse\": true,", with: "").replacing("haul-fake", with: Built.executable("haul-fake"))
            .write(toFile: folder.path + "/fake/protocol.json", atomically: true, encoding: .utf8)
        let bench = try Bench(catalog: ProtocolCatalog.scan([folder.path])) { $0.slots = 1 }
        for claim in 0..<6 {
            bench.server.hand(Claims.job(1, Array(repeating: "/sleep/0.02", count: 8), first: claim * 8))
        }
        try await eventually("all is reported") { bench.server.outcomes.count == 48 }
        #expect(bench.logged("batch-start").count == 6 && bench.logged("batch-extended").isEmpty)
        try await eventually("none is kept") { bench.backends.isEmpty }
        await bench.close()
    }

    /// What it has opened, or could not, may be why it failed: the next attempt is not for the same one. What is said of a
    /// file is none of its faults.
    @Test(arguments: [("connect", false), ("interrupted", false), ("auth", false), ("not_found", true)])
    func oneThatFailedServesNobody(errorClass: String, isKept: Bool) async throws {
        let bench = try Bench { $0.idleSeconds = 60 }
        try await run(bench, 1)
        let first = bench.backends
        #expect(first.count == 1)
        bench.server.hand(Claims.job(2, ["/fail/\(errorClass)"]))
        try await eventually("it is reported") { bench.server.outcomes.count == 3 }
        #expect(bench.server.outcome(2)?.errorClass == errorClass)
        try await run(bench, 3)
        #expect(isKept ? bench.backends == first : Set(bench.backends).isDisjoint(with: first))
        await bench.close()
    }

    @Test func aDeadOneServesNobody() async throws {
        let bench = try Bench()
        try await run(bench, 1)
        let first = bench.backends
        for pid in first { kill(pid, SIGKILL) }
        try await eventually("it is gone") { bench.backends.isEmpty }
        try await run(bench, 2)
        #expect(Set(bench.backends).isDisjoint(with: first))
        await bench.close()
    }

    /// It may have done what it said no word of: who does it again is told, so that a deed that is found done is one.
    @Test func whoTakesOverForADeadOneIsALaterAttempt() async throws {
        let bench = try Bench()
        try await run(bench, 1)
        bench.server.hand(Claims.job(2, ["/vanish/2/a"], options: "{}"))
        try await eventually("it is reported") { bench.server.outcome(2) != nil }
        #expect(bench.server.outcome(2)?.returncode == 0, "\(bench.server.log(2))")
        #expect(bench.server.log(2).contains("another one goes on, as a later attempt does"))
        // Where the next one ends too, that is the attempt's end.
        bench.server.hand(Claims.job(3, ["/vanish/9/a"], options: "{}"))
        try await eventually("it is reported") { bench.server.outcome(3) != nil }
        #expect(bench.server.outcome(3)?.errorClass == "backend")
        await bench.close()
    }

    /// A credential that was replaced is used at once.
    @Test func anotherCredentialIsAnotherBackend() async throws {
        let folder = try Folder()
        let file = folder.path + "/key"
        let bench = try Bench { $0.credentials = ["ssh-1": ["ssh-key": file]] }
        func write(_ text: String) throws {
            try? FileManager.default.removeItem(atPath: file)
            _ = FileManager.default.createFile(
                atPath: file, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
        }
        var seen: [Set<Int32>] = []
        for (job, text) in [(1, "one"), (2, "one"), (3, "another")] {
            if job != 2 { try write(text) }
            bench.server.hand(Claims.job(job, ["/a"], from: "ssh", to: "ssh"))
            try await eventually("job \(job) is reported") { bench.server.outcomes.count == job }
            seen.append(Set(bench.backends))
        }
        #expect(seen[0] == seen[1] && !seen[0].isEmpty)
        #expect(!seen[2].isSubset(of: seen[0]))
        await bench.close()
    }
}
