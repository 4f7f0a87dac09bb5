import HaulModel
import HaulStore
import Support
import Testing

@testable import HaulEngine

/// Jobs that are handed out to one who is no worker: each to one alone, and ended by what is said of it.
@Suite(.timeLimit(.minutes(6))) struct PopTests {
    private let alice = Requester(name: "alice", token: nil, address: "")

    private func task(
        _ test: TestEngine, _ user: User, _ text: String = "x", extra: [String: JSONValue] = [:]
    ) async throws -> Job {
        let document: [String: JSONValue] = ["task": .string(text), "queue": "q"]
        let request = try JobRequest(document.merging(extra) { $1 }, type: .task, rules: test.engine.rules)
        return try #require(try await test.engine.register([request], user: user).first)
    }

    private func queue(_ test: TestEngine, _ user: User, lease: Int? = nil) async throws {
        _ = try await test.engine.make(
            Queue(name: "q", paused: nil, isPopped: true, leaseSeconds: lease), ofUser: user.id)
    }

    private func pop(_ test: TestEngine, _ user: User) async throws -> Engine.Popped? {
        try await test.engine.pop(queue: "q", ofUser: user.id, by: alice)
    }

    @Test func firstInFirstOutAndPriorityFirst() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await queue(test, user)
        let first = try await task(test, user, "first\u{0}\u{1F600}\n")
        let second = try await task(test, user)
        let urgent = try await task(test, user, extra: ["priority": 0])
        #expect(first.task == "first\u{0}\u{1F600}\n")
        // No worker gets any of it, nor once the queue is open to them.
        let worker = try await test.session()
        #expect(try await test.claim(worker, limit: 10, types: Set(JobType.allCases)).isEmpty)
        _ = try await test.engine.change(queue: "q", ofUser: user.id, isPopped: false)
        #expect(try await test.claim(worker, limit: 10, types: Set(JobType.allCases)).isEmpty)
        #expect(try await test.codes(first.id) == [.poppedAlone])
        var popped: [Int] = []
        while let next = try await pop(test, user) {
            #expect(next.attempt == 1 && next.job.stage == .executing && next.job.status == .running)
            popped.append(next.job.id)
        }
        #expect(popped == [urgent.id, first.id, second.id])
        #expect(try await test.codes(first.id, element: 0) == [.popped])
        #expect(try await test.codes(first.id) == [.popped])
        #expect(try await test.out(.user, user.id) == 0, "no worker has any of it")
        await #expect(throws: EngineError.self) {
            _ = try await test.engine.pop(queue: "r", ofUser: user.id, by: alice)
        }
    }

    @Test func whatIsSaid() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await queue(test, user)
        let (good, bad) = (try await task(test, user), try await task(test, user))
        for _ in 0..<2 { _ = try await pop(test, user) }
        let done = Engine.Said(isDone: true, message: "fine")
        #expect(try await test.engine.settle(job: good.id, done, by: alice).status == .done)
        #expect(try await test.engine.settle(job: good.id, done, by: alice).status == .done, "said twice")
        let failed = Engine.Said(isDone: false, code: 7, message: "a\u{0}b")
        #expect(try await test.engine.settle(job: bad.id, failed, by: alice).status == .failed)
        let jobs = try await test.engine.jobs(JobFilter(userID: user.id), after: 0, limit: 10)
        let outcomes = try await test.engine.outcomes(of: jobs)
        #expect(outcomes[good.id] == JobOutcome(code: 0, message: "fine"))
        #expect(outcomes[bad.id] == JobOutcome(code: 7, message: "a\u{FFFD}b"))
        await #expect(throws: EngineError.self) { _ = try await test.engine.settle(job: good.id, failed, by: alice) }
        await #expect(throws: EngineError.self) { _ = try await test.engine.settle(job: bad.id, done, by: alice) }
        // What failed waits again; who has the first attempt in hand is not heard any more.
        #expect(try await test.engine.retry(queue: "q", ofUser: user.id) == 1)
        #expect(try await pop(test, user)?.attempt == 2)
        let late = Engine.Said(isDone: true, attempt: 1)
        await #expect(throws: EngineError.self) { _ = try await test.engine.settle(job: bad.id, late, by: alice) }
        let now = Engine.Said(isDone: true, attempt: 2)
        #expect(try await test.engine.settle(job: bad.id, now, by: alice).status == .done)
        // What waits need not be popped first.
        let direct = try await task(test, user)
        #expect(try await test.engine.settle(job: direct.id, failed, by: alice).status == .failed)
    }

    /// A client that never returns keeps its task, until it is taken back or the queue's lease ends.
    @Test func neverReturning() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await queue(test, user)
        let job = try await task(test, user)
        _ = try await pop(test, user)
        test.advance(seconds: 1_000_000)
        _ = try await PopRescuer(engine: test.engine).run()
        #expect(try await pop(test, user) == nil)
        #expect(try await test.engine.recover(queue: "q", ofUser: user.id) == 1)
        #expect(try await test.engine.job(job.id)?.stage == .waiting)
        _ = try await test.engine.change(queue: "q", ofUser: user.id, lease: 60)
        #expect(try await pop(test, user)?.attempt == 2)
        test.advance(seconds: 59)
        _ = try await PopRescuer(engine: test.engine).run()
        #expect(try await pop(test, user) == nil)
        test.advance(seconds: 1)
        try await test.withDuties { try await test.engine.job(job.id)?.stage == .waiting }
        #expect(try await pop(test, user)?.attempt == 3)
        #expect(try await test.engine.revoke(job: job.id, by: alice).stage == .waiting)
        await #expect(throws: EngineError.self) { _ = try await test.engine.revoke(job: job.id, by: alice) }
        #expect(try await test.elements(job).map(\.tries) == [0])
    }

    /// A transfer that is popped is done as a whole, without a listing; what workers have of one is taken back.
    @Test func transfers() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await queue(test, user)
        let copy = try await test.register(user, .copy, extra: ["queue": "q"])
        let worker = try await test.session()
        #expect(try await test.claim(worker).isEmpty)
        #expect(try await test.codes(copy.id).contains(.poppedAlone))
        #expect(try await pop(test, user)?.job.id == copy.id)
        #expect(try await test.engine.settle(job: copy.id, Engine.Said(isDone: true), by: alice).status == .done)
        #expect(try await test.elements(copy).count == 1)
        let list = try await test.register(user, .list, extra: ["queue": "q"])
        _ = try await test.engine.change(queue: "q", ofUser: user.id, isPopped: false)
        let handout = try #require(try await test.claim(worker).first)
        #expect(handout.job.id == list.id)
        #expect(try await pop(test, user) == nil)
        await #expect(throws: EngineError.self) {
            _ = try await test.engine.settle(job: list.id, Engine.Said(isDone: true), by: alice)
        }
        #expect(try await test.engine.recover(queue: "q", ofUser: user.id) == 1)
        #expect(try await test.engine.job(list.id)?.stage == .waiting)
        #expect(try await test.out(.user, user.id) == 0)
        let lines = [ListingLine(directory: "/d", entry: nil)]
        guard case .refused = try await test.report(handout, listing: lines) else {
            Issue.record("a lease that was taken back is worth nothing")
            return
        }
        #expect(try await pop(test, user) == nil, "its worker may be at it still")
        test.advance(seconds: test.engine.configuration.leaseSeconds)
        _ = try await RetryLater(engine: test.engine).run()
        #expect(try await pop(test, user)?.attempt == 2)
    }

    /// Who names the attempt keeps the job for longer, and speaks for nobody else.
    @Test func attempts() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await queue(test, user, lease: 60)
        let job = try await task(test, user)
        _ = try await pop(test, user)
        test.advance(seconds: 50)
        #expect(try await test.engine.pop(job: job.id, attempt: 1, by: alice).attempt == 1)
        test.advance(seconds: 50)
        _ = try await PopRescuer(engine: test.engine).run()
        #expect(try await test.engine.job(job.id)?.stage == .executing)
        test.advance(seconds: 10)
        #expect(try await PopRescuer(engine: test.engine).run())
        #expect(try await pop(test, user)?.attempt == 2)
        let late: [@Sendable () async throws -> Void] = [
            { _ = try await test.engine.pop(job: job.id, attempt: 1, by: self.alice) },
            { _ = try await test.engine.pop(job: job.id, by: self.alice) },
            { _ = try await test.engine.revoke(job: job.id, attempt: 1, by: self.alice) },
            {
                let said = Engine.Said(isDone: true, attempt: 1)
                _ = try await test.engine.settle(job: job.id, said, by: self.alice)
            },
        ]
        for call in late { await #expect(throws: EngineError.self) { try await call() } }
        #expect(try await test.engine.job(job.id)?.stage == .executing)
        #expect(try await test.engine.revoke(job: job.id, attempt: 2, by: alice).stage == .waiting)
        _ = try await test.engine.change(queue: "q", ofUser: user.id, isPaused: true)
        await #expect(throws: EngineError.self) { _ = try await test.engine.pop(job: job.id, by: alice) }
    }

    @Test func cancelledAndRemoved() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await queue(test, user)
        let (one, two) = (try await task(test, user), try await task(test, user))
        for _ in 0..<2 { _ = try await pop(test, user) }
        #expect(try await test.engine.cancel(job: one.id).status == .cancelled, "nobody has to be waited for")
        #expect(try await test.engine.cancel(element: 0, ofJob: two.id).phase == .cancelled)
        #expect(try await test.engine.job(two.id)?.status == .cancelled)
        #expect(try await test.engine.retry(queue: "q", ofUser: user.id) == 2)
        _ = try await pop(test, user)
        _ = try await test.engine.change(queue: "q", ofUser: user.id, isPaused: true)
        #expect(try await pop(test, user) == nil)
        let late = try await task(test, user, extra: ["deadline": "2023-11-14T22:13:30Z"])
        _ = try await test.engine.change(queue: "q", ofUser: user.id, isPaused: false)
        while try await pop(test, user) != nil {}
        test.advance(seconds: 60)
        try await test.withDuties { try await test.engine.job(late.id)?.status == .failed }
        try await test.engine.remove(queue: "q", ofUser: user.id)
        #expect(try await test.engine.jobs(JobFilter(userID: user.id), after: 0, limit: 10).isEmpty)
        #expect(try await test.engine.queues(ofUser: user.id).isEmpty)
        await #expect(throws: EngineError.self) { _ = try await pop(test, user) }
        // One of the same name begins empty; a job that names it makes it, too.
        try await queue(test, user)
        await #expect(throws: EngineError.self) { try await queue(test, user) }
        #expect(try await pop(test, user) == nil)
        try await test.engine.remove(queue: "q", ofUser: user.id)
        let new = try await task(test, user)
        #expect(try await test.engine.queues(ofUser: user.id).map(\.name) == ["q"])
        #expect(try await pop(test, user)?.job.id == new.id)
    }

    /// A popped job that moves to another queue counts for no limit there.
    @Test func moves() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await queue(test, user)
        let job = try await task(test, user)
        _ = try await pop(test, user)
        _ = try await test.engine.change(job: job.id, JobChange(["queue": "other"]))
        _ = try await test.engine.settle(job: job.id, Engine.Said(isDone: true), by: alice)
        for queue in 1...3 { #expect(try await test.out(.queue, queue) == 0) }
    }

    /// Many at once, of one engine and of another over the same database: each job goes to one.
    @Test func eachToOne() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await queue(test, user)
        var made: Set<Int> = []
        for _ in 0..<100 { made.insert(try await task(test, user).id) }
        let popped = try await withThrowingTaskGroup(of: [Int].self) { group in
            for _ in 0..<16 {
                group.addTask {
                    var mine: [Int] = []
                    while let next = try await pop(test, user) { mine.append(next.job.id) }
                    return mine
                }
            }
            return try await group.reduce(into: [Int]()) { $0 += $1 }
        }
        #expect(popped.count == made.count && Set(popped) == made)
    }
}
