import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Claims that wait, and many at once.
@Suite(.timeLimit(.minutes(6))) struct ClaimTests {
    private func query(_ worker: (bearer: TokenRecord, id: Int), _ types: Set<JobType>) -> ClaimQuery {
        ClaimQuery(
            types: types, protocols: nil, sites: nil, session: worker.id, measure: .number(1), bearer: worker.bearer,
            host: "h")
    }

    /// Fifty workers wait; of each job that comes exactly one gets it, whichever of them can take it.
    @Test func eachGetsWhatItCanTake() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        var removers: [Task<[Handout], any Error>] = []
        var makers: [Task<[Handout], any Error>] = []
        for n in 0..<25 {
            let (first, second) = (try await test.session("r\(n)"), try await test.session("m\(n)"))
            let (engine, remove, make) = (test.engine, query(first, [.remove]), query(second, [.mkdir]))
            removers.append(Task { try await engine.claim(remove, wait: 600) })
            makers.append(Task { try await engine.claim(make, wait: 600) })
        }
        while test.engine.workBell.parked < 50 { await Task.yield() }
        for n in 0..<25 { _ = try await test.register(alice, .mkdir, path: "/m\(n)") }
        var made: Set<Int> = []
        for task in makers { made.formUnion(try await task.value.map(\.job.id)) }
        #expect(made.count == 25)
        while test.engine.workBell.parked != 25 { await Task.yield() }
        for n in 0..<25 { _ = try await test.register(alice, .remove, path: "/r\(n)") }
        var removed: Set<Int> = []
        for task in removers { removed.formUnion(try await task.value.map(\.job.id)) }
        #expect(removed.count == 25 && removed.isDisjoint(with: made))
    }

    /// A client that is gone does not take work with it, nor keep the bell.
    @Test func aCancelledClaimLeavesTheWork() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let (gone, here) = (try await test.session("gone"), try await test.session("here"))
        let engine = test.engine
        let (lost, kept) = (query(gone, [.mkdir]), query(here, [.mkdir]))
        let first = Task { try await engine.claim(lost, wait: 600) }
        while engine.workBell.parked < 1 { await Task.yield() }
        let second = Task { try await engine.claim(kept, wait: 600) }
        while engine.workBell.parked < 2 { await Task.yield() }
        first.cancel()
        _ = try? await first.value
        let job = try await test.register(alice)
        #expect(try await second.value.map(\.job.id) == [job.id])
    }

    /// Sessions are let go once nothing is held under them, and forgotten after a while.
    @Test func sessionsEnd() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        for n in 0..<3 { _ = try await test.register(alice, path: "/\(n)") }
        // One that ends by the clock, with a lease; one without a session, that reports all it got.
        let worker = try await test.session()
        _ = try await test.claim(worker)
        let handouts = try await test.claimSessionless(limit: 2)
        let implicit = try await test.engine.store.read { try $0.session(worker.id + 1) }
        #expect(implicit?.workerID == nil && implicit?.ended == nil && handouts.count == 2)
        for handout in handouts {
            guard case .accepted = try await test.report(handout) else {
                Issue.record("refused")
                return
            }
        }
        #expect(try await test.engine.store.read { try $0.session(worker.id + 1)?.ended } != nil)
        test.advance(seconds: 61)
        try await test.withDuties {
            try await test.engine.store.read { reader in
                try reader.session(worker.id)?.ended != nil && reader.sessionsToRelease(limit: 10).isEmpty
            }
        }
        test.advance(seconds: 3601)
        try await test.withDuties {
            try await test.engine.store.read { try $0.session(worker.id) == nil && $0.session(worker.id + 1) == nil }
        }
        guard case .refused(let error) = try await test.report(handouts[0], 1, hash: 9) else {
            Issue.record("a late report of a forgotten session was taken")
            return
        }
        #expect(error.code == "lease_ended")
    }
}
