import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import HaulWire
import HaulWorker
import Support
import Synchronization
import Testing

/// What is claimed, and how it is shared among slots and backends.
@Suite(.timeLimit(.minutes(6))) struct BatchTests {
    @Test func neverUsesMoreThanItsSlots() async throws {
        let bench = try Bench { $0.slots = 2 }
        let most = Atomic<Int>(0)
        bench.server.hand(Claims.job(1, ["/sleep/0.3"]), Claims.job(2, ["/sleep/0.3"]), Claims.job(3, ["/sleep/0.3"]))
        bench.server.hand(Claims.job(4, ["/sleep/0.3"]), Claims.job(5, ["/sleep/0.3"]), Claims.job(6, ["/ok"]))
        try await eventually("all is reported") {
            let now = bench.backends.count
            if now > most.load(ordering: .relaxed) { most.store(now, ordering: .relaxed) }
            return bench.server.outcomes.count == 6
        }
        #expect(most.load(ordering: .relaxed) == 2)
        #expect(bench.server.outcomes.allSatisfy { $0.outcome.returncode == 0 })
        #expect(await bench.close() == .drained)
    }

    @Test func givesOneBackendTheElementsOfOneJob() async throws {
        let bench = try Bench { $0.slots = 1 }
        bench.server.hand(Claims.job(1, (0..<40).map { "/sleep/0.2/\($0)" }))
        let pids = Mutex<Set<Int32>>([])
        try await eventually("all is reported") {
            let now = bench.backends
            pids.withLock { $0.formUnion(now) }
            return bench.server.outcomes.count == 40
        }
        #expect(pids.withLock { $0.count } == 1)
        #expect(bench.logged("batch-start").count == 1)
        #expect(Set(bench.server.outcomes.map(\.elementID)) == Set(0..<40))
        await bench.close()
    }

    @Test func asksForWhatItsFreeSlotsTake() async throws {
        let bench = try Bench {
            $0.slots = 2
            $0.claimLimit = 10
            $0.concurrency = 3
            $0.types = [.copy, .list]
            $0.sites = [4, 5]
        }
        try await eventually("a claim") { !bench.server.record.claims.isEmpty }
        let claim = try #require(bench.server.record.claims.first)
        #expect(claim.types.sorted() == [0, 1] && claim.sites == [4, 5] && claim.session == 1)
        #expect(claim.arguments == ["limit": 6] && claim.protocols?.contains("fake") == true)
        await bench.close()
    }

    @Test func asksForBytesWhereItsConfigurationSaysSo() async throws {
        let server = try TestServer()
        let program = try await WorkerProgram.start(server, "claim_bytes: 150000000,")
        try await eventually("a claim") { !server.record.claims.isEmpty }
        let claim = try #require(server.record.claims.first)
        #expect(claim.algorithm == "BY_SIZE" && claim.arguments == ["size": 150_000_000])
        await program.close()
        await server.stop()
    }

    /// An empty answer that did not wait is not asked for again at once, however often it comes.
    @Test func doesNotHammerAServerThatDoesNotPark() async throws {
        let server = try TestServer()
        server.change { $0.answer = { path, _ in path == "/jobs" ? TestServer.problem(404, "no work") : nil } }
        let bench = try Bench(server: server)
        try await eventually("twenty heartbeats") { server.record.beats.count >= 20 }
        #expect(server.record.paths.filter { $0 == "/jobs" }.count < 60)
        await bench.close()
    }

    @Test func reportsWhatItCannotRun() async throws {
        let bench = try Bench()
        bench.server.hand(
            Claims.job(1, ["/a"], from: "quantum", to: "quantum"), Claims.job(2, ["/ok"]),
            Claims.job(3, ["/x"], from: "fake", to: "quantum"))
        try await eventually("three outcomes") { bench.server.outcomes.count == 3 }
        for id in [1, 3] {
            let outcome = try #require(bench.server.outcome(id))
            #expect(outcome.returncode != 0 && outcome.errorClass == "backend")
            #expect(outcome.reason?.contains("quantum") == true)
        }
        #expect(bench.server.outcome(2)?.returncode == 0)
        await bench.close()
    }

    /// What can't even be read stays the worker's until its report is taken.
    @Test func holdsWhatItCannotReadUntilThatIsReported() async throws {
        let bench = try Bench()
        bench.server.change { $0.settle = { _, _ in TestServer.problem(503, "busy") } }
        bench.server.hand(
            Claims.job(1, ["/a"]).replacing("\"src_site\":{", with: "\"src_site\":null,\"old\":{"))
        try await eventually("a report") { !bench.server.record.reports.isEmpty }
        let seen = bench.server.record.beats.count
        try await eventually("two more heartbeats") { bench.server.record.beats.count >= seen + 2 }
        #expect(bench.server.record.beats.last?.holding == ["1.0.1"])
        bench.server.change { $0.settle = nil }
        try await eventually("nothing is held") { bench.server.record.beats.last?.holding == [] }
        #expect(bench.server.outcome(1)?.errorClass == "invalid")
        await bench.close()
    }

    @Test func warnsOfAnUnknownOption() async throws {
        let bench = try Bench()
        bench.server.hand(Claims.job(1, ["/ok"], options: #"{"warp":9,"overwrite":"always"}"#))
        try await eventually("the outcome") { bench.server.outcome(1) != nil }
        #expect(bench.server.log(1).contains("warning: option warp is not known to protocol fake\n"))
        #expect(!bench.server.log(1).contains("overwrite"))
        await bench.close()
    }

    /// While somebody waits for an attempt's progress, it is told more often than else, without a tick. How often says
    /// `ProgressTests`.
    @Test func tellsMoreOfWhatIsWatched() async throws {
        let (server, other) = (try TestServer(), try TestServer())
        server.change {
            $0.answer = { path, _ in path.hasSuffix("/monitoring") ? TestServer.json(ProgressReply(watched: true)) : nil
            }
        }
        let benches = try [server, other].map { server in
            try Bench(server: server, progress: 60, tick: 60)
        }
        for bench in benches { bench.server.hand(Claims.job(1, ["/sleep/600"])) }
        let told: @Sendable (TestServer) -> Int = { $0.record.paths.count { $0.hasSuffix("/monitoring") } }
        try await eventually("it tells of itself") { told(other) == 1 }
        try await eventually("it tells on") { told(server) >= 6 }
        #expect(told(other) == 1)
        for bench in benches {
            await bench.worker.kill()
            await bench.close()
        }
    }

    @Test func reportsAKilledBackend() async throws {
        let bench = try Bench()
        bench.server.hand(Claims.job(1, ["/sleep/600", "/sleep/601"]))
        try await eventually("both are running") { Set(bench.server.record.progress) == ["1.0", "1.1"] }
        for pid in bench.backends { kill(pid, SIGKILL) }
        try await eventually("both are reported") { bench.server.outcomes.count == 2 }
        for item in bench.server.outcomes {
            #expect(item.outcome.errorClass == "backend" && item.outcome.returncode != 0)
        }
        await bench.close()
    }
}
