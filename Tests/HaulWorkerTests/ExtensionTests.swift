import Foundation
import HaulModel
import HaulWire
import Support
import Synchronization
import Testing

@testable import HaulWorker

/// A batch that is nearly through takes more of its errand along.
@Suite(.timeLimit(.minutes(6))) struct ExtensionTests {
    /// Claims of one job, so many elements each.
    private func hand(_ bench: Bench, claims: Int, of size: Int, path: String = "/sleep/0.02") {
        for claim in 0..<claims {
            bench.server.hand(Claims.job(1, Array(repeating: path, count: size), first: claim * size))
        }
    }

    @Test func itsBackendIsNeverOutOfWork() async throws {
        let bench = try Bench { $0.slots = 1 }
        hand(bench, claims: 10, of: 12)
        try await eventually("all is reported", within: .seconds(60)) { bench.server.outcomes.count == 120 }
        #expect(bench.server.outcomes.allSatisfy { $0.outcome.returncode == 0 })
        #expect(Set(bench.server.outcomes.map(\.elementID)) == Set(0..<120))
        #expect(bench.logged("batch-extended").count >= 5)
        #expect(bench.backends.count <= 1)
        await bench.close()
    }

    /// Another job's elements come while there seems to be room: they wait, and no process more than slots is there.
    @Test func anotherErrandWaitsForItsSlot() async throws {
        let bench = try Bench { $0.slots = 1 }
        let quick = Array(repeating: "/ok", count: 6)
        bench.server.hand(Claims.job(1, quick + ["/sleep/600"]))
        bench.server.hand(Claims.job(2, ["/ok"]))
        try await eventually("both are held") { bench.server.record.beats.last?.holding == ["1.6.1", "2.0.1"] }
        #expect(bench.backends.count == 1 && bench.server.outcome(2) == nil)
        bench.server.change { $0.stop = ["1.6.1"] }
        try await eventually("both are reported") { bench.server.outcomes.count == 8 }
        #expect(bench.server.outcome(2)?.returncode == 0)
        await bench.close()
    }

    @Test func whatJoinedIsCancelledLikeAnyOther() async throws {
        let bench = try Bench {
            $0.slots = 1
            $0.drainSeconds = 0
        }
        let quick = Array(repeating: "/ok", count: 6)
        bench.server.hand(Claims.job(1, quick + ["/sleep/600"]))
        bench.server.hand(Claims.job(1, ["/sleep/600", "/ok"], first: 7))
        try await eventually("it is extended") { bench.logged("batch-extended").count == 1 }
        try await eventually("the quick ones are reported") { bench.server.outcome(1, 8) != nil }
        bench.server.change { $0.stop = ["1.7.1"] }
        try await eventually("it is reported") { bench.server.outcome(1, 7) != nil }
        #expect(bench.server.outcome(1, 7)?.reason == "cancelled by its user")
        #expect(bench.server.outcome(1, 6) == nil && bench.backends.count == 1)
        await bench.close()
        #expect(bench.server.outcomes.count == 9)
    }

    /// Backends die all the time: each element still has one outcome, and those that failed say why.
    @Test func nothingIsLostWhenTheBackendDies() async throws {
        let bench = try Bench { $0.slots = 2 }
        hand(bench, claims: 20, of: 8, path: "/sleep/0.02")
        let kills = Atomic<Int>(0)
        try await eventually("all is reported", within: .seconds(60)) {
            if kills.load(ordering: .relaxed) < 10, let pid = bench.backends.first {
                kill(pid, SIGKILL)
                kills.add(1, ordering: .relaxed)
            }
            return bench.server.outcomes.count >= 160
        }
        #expect(kills.load(ordering: .relaxed) > 0 && bench.logged("batch-extended").count > 0)
        await bench.close()
        #expect(bench.server.outcomes.count == 160)
        #expect(Set(bench.server.outcomes.map(\.elementID)) == Set(0..<160))
        for item in bench.server.outcomes where item.outcome.returncode != 0 {
            #expect(item.outcome.errorClass == "backend")
        }
    }

    /// Also those whose end is told last learn why their backend died.
    @Test func everyElementLearnsWhyItsBackendDied() async throws {
        let bench = try Bench {
            $0.slots = 1
            $0.concurrency = 60
        }
        // Of the elements most are with the worker when it happens.
        for job in 1...5 {
            let long = Array(repeating: "/sleep/600", count: 56)
            bench.server.hand(Claims.job(job, long.prefix(3) + ["/exit/7"] + long))
            try await eventually("all is reported", within: .seconds(60)) { bench.server.outcomes.count == 60 * job }
        }
        let reasons = Set(bench.server.outcomes.map { $0.outcome.reason ?? "" })
        #expect(reasons.count == 1 && reasons.first?.contains("7") == true, "\(reasons)")
        await bench.close()
    }

    /// The order to end comes while batches are extended: what is held is done or cut off, and reported.
    @Test func drainingLosesNothing() async throws {
        let bench = try Bench {
            $0.slots = 1
            $0.drainSeconds = 0
        }
        hand(bench, claims: 100, of: 12, path: "/sleep/0.05")
        try await eventually("it works", within: .seconds(60)) { !bench.logged("batch-extended").isEmpty }
        #expect(await bench.close() == .drained)
        let done = bench.server.outcomes.map(\.elementID)
        let handed = 12 * (100 - bench.server.claimsLeft)
        #expect(done.count == handed && Set(done).count == handed)
        // What was cut off, or never begun, goes back.
        let failed = bench.server.outcomes.map(\.outcome).filter { $0.returncode != 0 }
        #expect(!failed.isEmpty && failed.allSatisfy { $0.errorClass == "drained" }, "\(failed.prefix(3))")
    }

    @Test func nearlyThroughIsHalfOfItWithinASecond() {
        // Once only.
        var pace = BatchPace(elements: 10)
        #expect([6, 5, 4].map { pace.isNearlyThrough(left: $0) } == [false, true, false])
        var done = BatchPace(elements: 3)
        #expect([0].map { done.isNearlyThrough(left: $0) } == [false])
        // At a second each and more, it is the last one that is near.
        var slow = BatchPace(elements: 10, began: .now - .seconds(8))
        #expect([5, 2, 1].map { slow.isNearlyThrough(left: $0) } == [false, false, true])
    }

    @Test func throughputIsOfTheLastSecond() {
        var throughput = Throughput()
        let start = ContinuousClock.now
        func rate(_ milliseconds: Int) -> Double {
            throughput.rate(at: start + .milliseconds(milliseconds)) ?? 0
        }
        #expect(rate(0) == 0)
        for step in 0...100 { throughput.ended(at: start + .milliseconds(step)) }
        // 100 elements in the first tenth of a second.
        #expect((900...1100).contains(rate(101)))
        for step in 0..<500 { throughput.ended(at: start + .milliseconds(101 + 2 * step)) }
        #expect((450...550).contains(rate(1102)))
        // Long ago: nobody knows.
        #expect(rate(60_000) == 0)
    }

    /// What a slot did in the last second is what it asks for: there is work until it has asked for more.
    @Test func asksForMoreWhereElementsAreQuick() async throws {
        let bench = try Bench {
            $0.slots = 1
            $0.claimLimit = 100
        }
        hand(bench, claims: 2000, of: 10, path: "/ok")
        let limits = { @Sendable in bench.server.record.claims.compactMap { $0.arguments?["limit"] } }
        try await eventually("more is asked for", within: .seconds(60)) { limits().contains { $0 > 4 } }
        #expect(limits().first == 4 && limits().allSatisfy { $0 <= 100 })
        await bench.close()
    }
}
