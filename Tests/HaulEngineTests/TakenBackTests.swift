import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Jobs that their users take back from workers: nothing is lost by it, and nobody does them twice at once.
@Suite(.timeLimit(.minutes(6))) struct TakenBackTests {
    private let alice = Requester(name: "alice", token: nil, address: "")

    private static func file(_ number: Int) -> ListingLine {
        ListingLine(directory: "/d", entry: ListingEntry(name: "f\(number)", kind: .file))
    }

    private func expanded(_ test: TestEngine, _ job: Job) async throws {
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(job.id)?.expansion == nil } }
    }

    /// A REMOVE on its last try, of which a worker has a file, fails neither that nor the directory above it.
    @Test func ofALastTry() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        let job = try await test.register(user, .remove, extra: ["max_tries": 1])
        let lister = try await test.session("lister")
        let listing = try #require(try await test.claim(lister).first)
        _ = try await test.report(listing, listing: [Self.file(1)])
        try await expanded(test, job)
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker, limit: 9).first)
        let item = handout.items[0].element.id
        _ = try await test.engine.heartbeat(
            session: worker.id, holding: ["\(job.id).\(item).1"], HeartbeatRecord(), bearer: worker.bearer)
        let progress = Attempt.Progress(transferred: 1, elapsed: 1, instant: 1, average: 1)
        try await test.engine.progress(progress, job: job.id, element: item, token: handout.items[0].token)
        let back = try await test.engine.revoke(job: job.id, by: alice)
        #expect(back.stage == .waiting && back.status == .submitted)
        let elements = try await test.elements(job)
        #expect(elements.allSatisfy { $0.phase != .failed }, "\(elements.map(\.phase))")
        #expect(try await test.codes(job.id, element: item) == [.backoff])
        #expect(elements[item].phase == .delayed && elements[item].tries == 0 && elements[item].returned == 1)
        #expect(try await test.out(.user, user.id) == 0)
        // Its worker may be at it still: nobody gets it, however often it is taken back, until that has heard of it.
        await #expect(throws: EngineError.self) { _ = try await test.engine.revoke(job: job.id, by: alice) }
        #expect(try await test.engine.recover(queue: "default", ofUser: user.id) == 0)
        test.advance(seconds: test.engine.configuration.heartbeatSeconds + 1)
        _ = try await RetryLater(engine: test.engine).run()
        #expect(try await test.claim(worker, limit: 9).isEmpty)
        let beat = try await test.engine.heartbeat(
            session: worker.id, holding: ["\(job.id).\(item).1"], HeartbeatRecord(), bearer: worker.bearer)
        #expect(beat.unknown == ["\(job.id).\(item).1"])
        guard case .refused = try await test.report(handout) else {
            Issue.record("a lease that was taken back is worth nothing")
            return
        }
        test.advance(seconds: test.engine.configuration.leaseSeconds)
        let next = try await test.session("next")
        try await test.withDuties {
            for handout in try await test.claim(next, limit: 9) { _ = try await test.report(handout) }
            return try await test.engine.job(job.id)?.status == .done
        }
        let logs = try await test.engine.store.read {
            try $0.endedAttempts(ofJob: job.id, latestOnly: false, after: (-1, 0), limit: 99)
        }
        #expect(logs.allSatisfy { $0.attempt.log != nil })
    }

    /// All that workers have of a job, in pieces, each once; and what waits between two tries behind much that is ready.
    @Test func ofMany() async throws {
        let test = try await TestEngine { $0.dutyPiece = 10 }
        let user = try await test.user("alice")
        let job = try await test.listed(user, .copy, (0..<60).map(Self.file))
        try await expanded(test, job)
        let worker = try await test.session()
        for handout in try await test.claim(worker, limit: 3) {
            for item in handout.items.indices { _ = try await test.report(handout, 1, item: item, as: .interrupted) }
        }
        let held = try await test.claim(worker, limit: 25)
        #expect(held.flatMap(\.items).count == 25)
        #expect(try await test.engine.recover(queue: "default", ofUser: user.id) == 1)
        let elements = try await test.elements(job)
        let delayed = elements.filter { $0.phase == .delayed }
        #expect(delayed.count == 25 && delayed.allSatisfy { $0.errorClass == nil && $0.tries == 0 })
        #expect(elements.count { $0.phase == .ready } == 35, "what waited between two tries is ready")
        #expect(try await test.engine.job(job.id)?.stage == .waiting)
        // What is being cancelled is left to that.
        _ = try await test.claim(worker, limit: 5)
        _ = try await test.engine.cancel(job: job.id)
        await #expect(throws: EngineError.self) { _ = try await test.engine.revoke(job: job.id, by: alice) }
        #expect(try await test.elements(job).count { $0.phase.isOut } == 5)
    }
}
