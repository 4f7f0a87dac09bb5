import Foundation
import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// How long a job may take, when it goes, and who waits for it meanwhile.
@Suite(.timeLimit(.minutes(5))) struct LifetimeTests {
    private func isGone(_ test: TestEngine, _ job: Int) async throws -> Bool {
        try await test.engine.store.read { try $0.jobState(job) == nil && $0.forgottenJobs(limit: 9).isEmpty }
    }

    /// Counted from the first start, whatever waits before it; a retry begins anew.
    @Test func executionDuration() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let job = try await test.register(alice, extra: ["execution_duration": 60])
        #expect(job.executionSeconds == 60)
        let worker = try await test.session()
        let sweeper = Sweeper(engine: test.engine)
        test.advance(seconds: 1000)
        _ = try await sweeper.run()
        #expect(try await test.engine.job(job.id)?.status == .submitted, "it has not begun")
        let next = try await test.session("v")
        let handout = try #require(try await test.claim(next).first)
        // It began then, also where the first try is over.
        _ = try await test.report(handout, 1, as: .connect)
        test.advance(seconds: 59)
        _ = try await sweeper.run()
        #expect(try await test.engine.job(job.id)?.status == .submitted)
        test.advance(seconds: 2)
        let other = try await TestEngine(in: test)
        _ = try await Sweeper(engine: other.engine).run()
        #expect(try await test.engine.job(job.id)?.status == .cancelled)
        _ = worker
        let again = try await test.engine.retry(job: job.id, user: alice, key: nil)
        #expect(again.started == nil && again.ended == nil)
        test.advance(seconds: 1000)
        _ = try await sweeper.run()
        #expect(try await test.engine.job(job.id)?.status == .submitted)
    }

    @Test func ofOneThatRuns() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let (limited, free) = (try await test.register(alice), try await test.register(alice))
        let worker = try await test.session()
        let handouts = try await test.claim(worker, limit: 2)
        _ = try await test.engine.change(job: limited.id, JobChange(["execution_duration": 30]))
        test.advance(seconds: 31)
        _ = try await Sweeper(engine: test.engine).run()
        let answer = try await test.engine.heartbeat(
            session: worker.id, holding: [], HeartbeatRecord(), bearer: worker.bearer)
        #expect(answer.stop == ["\(limited.id).0.1"])
        _ = try await test.engine.change(job: free.id, JobChange(["execution_duration": 0]))
        for handout in handouts { _ = try await test.report(handout, 1, as: .interrupted) }
        #expect(try await test.engine.job(limited.id)?.status == .cancelled)
        #expect(try await test.engine.job(free.id)?.status == .submitted)
        let ended = try #require(try await test.engine.job(limited.id))
        #expect(ended.ended == test.engine.world.now() && ended.started != nil)
        await #expect(throws: EngineError.self) {
            _ = try await test.engine.change(job: limited.id, JobChange(["execution_duration": 30]))
        }
    }

    /// Hidden at once; its worker is told to stop; all of it goes when that has ended, over a crash.
    @Test func destroyedWhileItRuns() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let job = try await test.copy(alice, files: 5)
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker, limit: 2).first)
        #expect(try await test.engine.destroy(job: job.id).id == job.id)
        #expect(try await test.engine.job(job.id) == nil)
        #expect(try await test.engine.jobs(JobFilter(), after: 0, limit: 9).isEmpty)
        await #expect(throws: EngineError.self) { _ = try await test.engine.destroy(job: job.id) }
        await #expect(throws: EngineError.self) { _ = try await test.engine.cancel(job: job.id) }
        #expect(try await test.claim(worker, limit: 9).isEmpty)
        let answer = try await test.engine.heartbeat(
            session: worker.id, holding: [], HeartbeatRecord(), bearer: worker.bearer)
        #expect(answer.stop.count == 2)
        let next = try await TestEngine(in: test)
        #expect(try await next.engine.job(job.id) == nil)
        #expect(try await !isGone(next, job.id))
        for item in handout.items.indices { _ = try await next.report(handout, item: item) }
        _ = try await Retirer(engine: next.engine).run()
        try await next.withDuties { try await isGone(next, job.id) }
    }

    @Test func destroyedAfterItsEnd() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let worker = try await test.session()
        let job = try await test.register(alice)
        _ = try await test.report(try #require(try await test.claim(worker).first))
        _ = try await test.engine.change(job: job.id, JobChange(["keep": true]))
        _ = try await test.engine.destroy(job: job.id)
        #expect(try await test.engine.job(job.id) == nil)
        try await test.withDuties { try await isGone(test, job.id) }
    }

    /// The time of destruction aborts and removes, on whichever server.
    @Test func destructionTime() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let time = test.engine.world.now().adding(seconds: 100)
        let jobs = [
            try await test.register(alice, extra: ["destruction": .string(time.text)]),
            try await test.register(alice, extra: ["destruction": .string(time.text)]),
            try await test.engine.register(
                JobDraft(document: ["destruction": .string(time.text)]), user: alice),
        ]
        #expect(jobs.allSatisfy { $0.destruction == time })
        let stays = try await test.engine.change(job: jobs[1].id, JobChange(["destruction": .null]))
        #expect(stays.destruction == nil)
        test.advance(seconds: 99)
        _ = try await Sweeper(engine: test.engine).run()
        #expect(try await test.engine.jobs(JobFilter(), after: 0, limit: 9).count == 3)
        test.advance(seconds: 2)
        let next = try await TestEngine(in: test)
        _ = try await Sweeper(engine: next.engine).run()
        #expect(try await test.engine.jobs(JobFilter(), after: 0, limit: 9).map(\.id) == [jobs[1].id])
        for job in [jobs[0], jobs[2]] { try await next.withDuties { try await isGone(next, job.id) } }
    }

    /// Who waits for a change of phase is parked, and told at once; also where the job is destroyed meanwhile.
    @Test func waiting() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let engine = test.engine
        let job = try await engine.register(
            JobDraft(type: .mkdir, document: ["src_siteid": 1, "src_filepath": "/d"]), user: alice)
        let now = try await engine.wait(for: job.id, seconds: 0) { $0.stage == .uncommitted }
        #expect(now?.stage == .uncommitted)
        async let committed = engine.wait(for: job.id, seconds: 30) { $0.stage == .uncommitted }
        try await test.until { engine.watchers.count == 1 }
        _ = try await engine.commit(job: job.id, user: .anybody)
        #expect(try await committed?.stage == .waiting)
        async let gone = engine.wait(for: job.id, seconds: 30) { $0.stage == .waiting }
        try await test.until { engine.watchers.count == 1 }
        _ = try await engine.destroy(job: job.id)
        #expect(try await gone == nil)
        let waiter = Task { try await engine.wait(for: try await test.register(alice).id, seconds: 30) { _ in true } }
        try await test.until { engine.watchers.count == 1 }
        waiter.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiter.value }
    }

    /// What was read of a job before it was removed: nothing happens to it any more, and its neighbours are not held up.
    @Test func whatIsGoneStopsNothing() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let (gone, other) = (try await test.register(alice), try await test.register(alice))
        let worker = try await test.session()
        for handout in try await test.claim(worker, limit: 2) { _ = try await test.report(handout, 1, as: .connect) }
        let (stale, waits) = (try await test.elements(gone)[0], try await test.elements(other)[0])
        #expect(stale.phase == waits.phase && !stale.phase.isEnded)
        _ = try await test.engine.destroy(job: gone.id)
        test.advance(seconds: 1000)
        let one = try await test.engine.transact(elements: 2) { _, ledger in
            try [ledger.apply(.due, to: stale), ledger.apply(.due, to: waits)].map { $0 != nil }
        }
        #expect(one == [false, true])
        let ready = try await test.elements(other)[0]
        let several = try await test.engine.transact(elements: 2) { _, ledger in
            try ledger.apply([(.expired, stale, nil), (.expired, ready, nil)]).map { $0 != nil }
        }
        #expect(several == [false, true])
        let whole = await #expect(throws: StoreError.self) {
            try await test.engine.transact { _, ledger in _ = try ledger.apply([(.due, stale, nil)], all: true) }
        }
        if case .stale = whole {} else { Issue.record("\(String(describing: whole))") }
        try await test.engine.transact { [engine = test.engine] in try engine.sweep(gone.id, $0, $1) }
        let error = await #expect(throws: EngineError.self) {
            _ = try await test.engine.cancel(element: 0, ofJob: gone.id)
        }
        #expect(error?.kind == .notFound)
    }

    /// A report that comes twice, the second of which finds that the job is gone: the others of its request are taken.
    @Test func reportsWhileAJobGoes() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let (gone, other) = (try await test.register(alice), try await test.register(alice))
        let worker = try await test.session()
        let handouts = try await test.claim(worker, limit: 2)
        let now = test.engine.world.now()
        let filed = try await test.engine.store.read { reader in
            try handouts.enumerated().map { place, handout in
                let item = handout.items[0]
                let id = AttemptID(jobID: handout.job.id, elementID: item.element.id, number: item.attempt)
                let report = Report(
                    jobID: id.jobID, elementID: id.elementID, token: item.token, returnCode: 0, host: "h", log: [],
                    sent: ["\(place)"])
                return FiledReport(index: place, report: report, lease: try Fence(reader, now: now).lease(id))
            }
        }
        for handout in handouts where handout.job.id == gone.id { _ = try await test.report(handout) }
        _ = try await test.engine.destroy(job: gone.id)
        let verdicts = try await test.engine.settle(filed)
        #expect(verdicts.count == 2)
        for (place, verdict) in verdicts {
            switch (handouts[place].job.id == gone.id, verdict) {
            case (true, .refused), (false, .accepted): break
            default: Issue.record("\(place): \(verdict)")
            }
        }
        #expect(try await test.engine.job(other.id)?.status == .done)
    }
}
