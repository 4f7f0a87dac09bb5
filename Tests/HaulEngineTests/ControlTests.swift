import Foundation
import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Cancel, retry, change, deadlines: on disk at once, done in pieces, and kept over restarts.
@Suite(.timeLimit(.minutes(6))) struct ControlTests {
    private static func lines(_ files: Int) -> [ListingLine] {
        (0..<files).map { ListingLine(directory: "/d", entry: ListingEntry(name: "f\($0)", kind: .file)) }
    }

    private func job(_ test: TestEngine, _ id: Int) async throws -> Job {
        try #require(try await test.engine.job(id))
    }

    private func expanded(_ test: TestEngine, _ id: Int) async throws {
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(id)?.expansion == nil } }
    }

    /// Ready elements that the lanes promise; what a claim of all gives has to be the same.
    private func promised(_ test: TestEngine) async throws -> Int {
        try await test.engine.store.read { reader in
            try (0...9).reduce(0) { sum, priority in
                try reader.usersWithWork(priority: priority).reduce(sum) { sum, user in
                    try reader.lanesWithWork(ofUser: user, priority: priority, limit: 1000).reduce(sum) {
                        $0 + $1.ready
                    }
                }
            }
        }
    }

    /// A job of thousands is cancelled at once: nothing of it is handed out from then on, its rows follow in pieces.
    @Test func cancelOfMany() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let id = try await test.listed(alice, .copy, Self.lines(3000)).id
        try await expanded(test, id)
        let worker = try await test.session()
        let running = try #require(try await test.claim(worker, limit: 2).first)
        let cancelled = try await test.engine.cancel(job: id)
        #expect(cancelled.status == .submitted && cancelled.counts.cancelled == test.engine.configuration.dutyPiece)
        #expect(try await promised(test) == 0)
        #expect(try await test.claim(worker, limit: 10).isEmpty)
        // The server dies; the next one goes on.
        let next = try await TestEngine(in: test)
        try await next.withDuties { try await next.engine.job(id)?.counts.cancelled == 2998 }
        #expect(try await job(next, id).counts.submitted == 2)
        // The worker is told, and reports; what it had finished stays done.
        let beat = try await next.engine.heartbeat(
            session: worker.id, holding: Set(running.items.map { "\(id).\($0.element.id).\($0.attempt)" }),
            HeartbeatRecord(), bearer: worker.bearer)
        #expect(Set(beat.stop) == Set(running.items.map { "\(id).\($0.element.id).\($0.attempt)" }))
        _ = try await next.report(running, 0, item: 0)
        _ = try await next.report(running, 1, item: 1)
        let ended = try await job(next, id)
        #expect(ended.status == .cancelled && ended.counts.cancelled == 2999 && ended.counts.done == 2)
        #expect(try await next.engine.cancel(job: id).status == .cancelled, "a second cancel changes nothing")
    }

    /// A cancel while the listing is expanded, and before it is there: a retry goes on where it was cut.
    @Test(arguments: [JobType.copy, .remove], [0, 1, 3])
    func cutExpansion(type: JobType, turns: Int) async throws {
        let test = try await TestEngine { $0.expansionPiece = 5 }
        let alice = try await test.user("alice")
        let id = try await test.listed(alice, type, Self.lines(23)).id
        let expander = Expander(engine: test.engine)
        for _ in 0..<turns { _ = try await expander.run() }
        #expect(try await test.engine.cancel(job: id).status == .cancelled)
        try await test.withDuties { try await test.engine.job(id)?.status == .cancelled }
        #expect(try await test.elements(test.engine.job(id)!).count < 24)
        _ = try await test.engine.retry(job: id, user: alice, key: nil)
        let worker = try await test.session()
        try await finish(test, worker, id)
        let done = try await job(test, id)
        #expect(done.status == .done && done.counts.total == (type == .copy ? 24 : 25))
    }

    /// Cancelled while its LIST runs: the listing is kept for a retry, the job reads CANCELLED.
    @Test func cancelDuringList() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let id = try await test.register(alice, .copy).id
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker).first)
        _ = try await test.engine.cancel(job: id)
        _ = try await test.report(handout, listing: Self.lines(3))
        #expect(try await job(test, id).status == .cancelled)
        _ = try await test.engine.retry(job: id, user: alice, key: nil)
        try await finish(test, worker, id)
        #expect(try await job(test, id).counts.done == 4)
    }

    /// What a user says of a job that ended does not change how it did.
    @Test func aLabelAfterTheEnd() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let id = try await test.listed(alice, .copy, Self.lines(3)).id
        try await expanded(test, id)
        let worker = try await test.session()
        _ = try await test.report(try #require(try await test.claim(worker).first), 1, as: .permission)
        _ = try await test.engine.cancel(job: id)
        try await test.withDuties { try await test.engine.job(id)?.status == .cancelled }
        let labelled = try await test.engine.change(job: id, JobChange(["label": "x"]))
        #expect(labelled.status == .cancelled && labelled.label == "x")

        let late = try await test.register(alice, .copy, extra: ["max_queue_time": 100]).id
        let listing = try #require(try await test.claim(worker).first)
        test.advance(seconds: 30)
        _ = try await test.engine.heartbeat(
            session: worker.id, holding: ["\(late).0.1"], HeartbeatRecord(), bearer: worker.bearer)
        test.advance(seconds: 30)
        _ = try await test.engine.heartbeat(
            session: worker.id, holding: ["\(late).0.1"], HeartbeatRecord(), bearer: worker.bearer)
        test.advance(seconds: 41)
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(late)?.intent == .expire } }
        _ = try await test.report(listing, listing: Self.lines(3))
        #expect(try await job(test, late).status == .failed)
        let kept = try await test.engine.change(job: late, JobChange(["keep": true]))
        #expect(kept.status == .failed && kept.isKept)
    }

    /// What runs under a cancel ends cancelled however its lease ends; no try is forgiven, none follows.
    @Test func lostUnderACancel() async throws {
        let test = try await TestEngine()
        let id = try await test.register(try await test.user("alice")).id
        _ = try await test.claim(try await test.session())
        _ = try await test.engine.cancel(job: id)
        test.advance(seconds: 61)
        try await test.withDuties { try await test.engine.job(id)?.status == .cancelled }
        let element = try #require(try await test.engine.element(0, ofJob: id))
        #expect(element.phase == .cancelled && element.attempts == 1 && element.forgiven == 0)
    }

    @Test func cancelOfOneElement() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let id = try await test.listed(alice, .copy, Self.lines(3)).id
        try await expanded(test, id)
        let worker = try await test.session()
        let running = try #require(try await test.claim(worker, limit: 1).first)
        #expect(try await test.engine.cancel(element: 2, ofJob: id).phase == .cancelled)
        let asked = try await test.engine.cancel(element: running.items[0].element.id, ofJob: id)
        #expect(asked.phase == .leased && asked.isUnwanted)
        let beat = try await test.engine.heartbeat(
            session: worker.id, holding: [], HeartbeatRecord(), bearer: worker.bearer)
        #expect(beat.stop == ["\(id).1.1"])
        _ = try await test.report(running, 1)
        try await finish(test, worker, id)
        let ended = try await job(test, id)
        #expect(ended.status == .cancelled && ended.counts.cancelled == 2 && ended.counts.done == 2)
        await #expect(throws: EngineError.self) { _ = try await test.engine.cancel(element: 0, ofJob: id) }
        await #expect(throws: EngineError.self) { _ = try await test.engine.cancel(element: 99, ofJob: id) }
    }

    /// Retry: more tries for what failed, nothing for what is done; a REMOVE keeps its order.
    @Test func retryOfARemoval() async throws {
        let test = try await TestEngine { $0.retry = RetryPolicy(base: 0.01, maximum: 0.01) }
        let alice = try await test.user("alice")
        let lines = [
            ListingLine(directory: "/d", entry: ListingEntry(name: "s", kind: .directory)),
            ListingLine(directory: "/d/s", entry: ListingEntry(name: "f", kind: .file)),
            ListingLine(directory: "/d/s", entry: ListingEntry(name: "g", kind: .file)),
        ]
        let id = try await test.listed(alice, .remove, lines).id
        let worker = try await test.session()
        try await finish(test, worker, id) { $0.sourcePath == "/d/s/f" ? 1 : 0 }
        let failed = try await job(test, id)
        #expect(failed.status == .failed && failed.counts.failed == 3 && failed.counts.done == 2)
        // The pruner has been by: what ordered the removal is gone.
        try await test.withDuties { try await test.engine.store.read { try $0.endedRemovals(limit: 9) }.isEmpty }
        let again = try await test.engine.retry(job: id, user: alice, key: nil)
        #expect(again.status == .submitted)
        var order: [String] = []
        try await finish(test, worker, id) { element in
            order.append(element.sourcePath)
            return 0
        }
        #expect(order == ["/d/s/f", "/d/s/", "/d/"])
        #expect(try await job(test, id).status == .done)
        let element = try #require(try await test.engine.element(1, ofJob: id))
        #expect(element.attempts == (element.sourcePath == "/d/s/f" ? 3 : 1))
        await #expect(throws: EngineError.self) { _ = try await test.engine.retry(job: id, user: alice, key: nil) }
    }

    /// A retry of thousands is answered at once and swept by the duty; the same key again does nothing more.
    @Test func retryOfMany() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let id = try await test.listed(alice, .copy, Self.lines(2000)).id
        try await expanded(test, id)
        _ = try await test.engine.cancel(job: id)
        try await test.withDuties { try await test.engine.job(id)?.status == .cancelled }
        let key = IdempotencyKey(key: "again", request: [7])
        #expect(try await test.engine.retry(job: id, user: alice, key: key).status == .submitted)
        let next = try await TestEngine(in: test)
        try await next.withDuties { try await next.engine.job(id)?.counts.new == 2000 }
        #expect(try await promised(next) == 2000)
        #expect(try await next.engine.retry(job: id, user: alice, key: key).counts.new == 2000)
        _ = try await next.engine.cancel(job: id)
        try await next.withDuties { try await next.engine.job(id)?.status == .cancelled }
        _ = try await next.engine.retry(job: id, user: alice, key: key)
        #expect(try await job(next, id).status == .cancelled, "the key's answer was given before")
    }

    @Test func deadline() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let waiting = try await test.register(alice, extra: ["max_queue_time": 100])
        let running = try await test.register(alice, extra: ["deadline": .string(waiting.deadline!.text)])
        let later = try await test.register(
            alice, extra: ["max_queue_time": 500, "deadline": .string(waiting.deadline!.text)])
        #expect(later.deadline == waiting.deadline, "the earlier one counts")
        _ = try await test.engine.change(job: later.id, JobChange(["deadline": .null]))
        let worker = try await test.session()
        let claimed = try await test.claim(worker)
        #expect(claimed.first?.job.id == waiting.id)
        test.advance(seconds: 50)
        _ = try await test.engine.heartbeat(
            session: worker.id, holding: ["\(waiting.id).0.1"], HeartbeatRecord(), bearer: worker.bearer)
        test.advance(seconds: 51)
        try await test.withDuties { try await test.engine.job(running.id)?.status == .failed }
        #expect(try await test.engine.element(0, ofJob: running.id)?.errorClass == .deadline)
        let beat = try await test.engine.heartbeat(
            session: worker.id, holding: ["\(waiting.id).0.1"], HeartbeatRecord(), bearer: worker.bearer)
        #expect(beat.stop == ["\(waiting.id).0.1"])
        _ = try await test.report(try #require(claimed.first), 1)
        let element = try #require(try await test.engine.element(0, ofJob: waiting.id))
        #expect(element.phase == .failed && element.errorClass == .deadline)
        #expect(try await job(test, later.id).status == .submitted)
        // A retry forgets the deadline that has passed.
        #expect(try await test.engine.retry(job: running.id, user: alice, key: nil).deadline == nil)
        try await finish(test, worker, running.id)
        #expect(try await job(test, running.id).status == .done)
    }

    /// Who follows a log and leaves is forgotten.
    @Test func followersLeave() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"))
        _ = try await test.claim(try await test.session())
        let engine = test.engine
        let id = AttemptID(jobID: job.id, elementID: 0, number: 1)
        let tasks = (0..<50).map { _ in Task { try await engine.follow(id, of: job) { _ in } } }
        try await test.until { engine.followers.count == 1 }
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
        #expect(engine.followers.count == 0)
    }

    /// Queue and priority move all that waits, whatever its number.
    @Test func changes() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let first = try await test.register(alice, path: "/1")
        let id = try await test.listed(alice, .copy, Self.lines(100)).id
        try await expanded(test, id)
        let moved = try await test.engine.change(
            job: id, JobChange(["priority": 0, "queue": "fast", "label": "mine"]))
        #expect(moved.priority == 0 && moved.queue == "fast" && moved.label == "mine")
        #expect(try await promised(test) == 100 + 1 - 1)
        let worker = try await test.session()
        #expect(try await test.claim(worker).first?.job.id == id)
        _ = try await test.engine.change(job: id, JobChange(["label": .null]))
        #expect(try await job(test, id).label == nil)
        _ = try await test.engine.cancel(job: first.id)
    }

    /// Runs all that can be handed out to its end. `code` says how each element ends.
    private func finish(
        _ test: TestEngine, _ worker: (bearer: TokenRecord, id: Int), _ id: Int, _ code: (Element) -> Int = { _ in 0 }
    ) async throws {
        let engine = test.engine
        let duties = Task { await DutyRunner(engine) { Issue.record("\($0) failed: \($1)") }.run() }
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let status = try await job(test, id).status
            if [.done, .failed, .cancelled].contains(status) { break }
            for handout in try await test.claim(worker, limit: 1000) where handout.job.id == id {
                for number in handout.items.indices {
                    _ = try await test.report(handout, code(handout.items[number].element), item: number)
                }
            }
            test.advance(seconds: 0.1)
            _ = try await engine.heartbeat(
                session: worker.id, holding: [], HeartbeatRecord(), bearer: worker.bearer)
            await Task.yield()
        }
        duties.cancel()
        await duties.value
    }
}
