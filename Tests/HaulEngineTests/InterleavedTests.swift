import Dispatch
import HaulModel
import Support
import Testing

@testable import HaulEngine
@testable import HaulStore

/// What comes between the steps of a request, or together with others, changes nothing of what each is answered.
@Suite(.timeLimit(.minutes(6))) struct InterleavedTests {
    /// Keeps the writer busy, so that what comes meanwhile waits for it.
    private static func busy(_ test: TestEngine, _ body: () async throws -> Void) async throws {
        let (gate, started) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let holder = Task {
            try await test.engine.store.write { _ in
                started.signal()
                gate.wait()
            }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                started.wait()
                continuation.resume()
            }
        }
        do { try await body() } catch {
            gate.signal()
            throw error
        }
        gate.signal()
        try await holder.value
    }

    /// Does `first`, then reports, so that the report reads its lease before `first` is done and settles after it.
    private static func reportBehind(
        _ test: TestEngine, _ handout: Handout, _ returnCode: Int,
        _ first: @escaping @Sendable () async throws -> Void
    ) async throws -> Verdict {
        let writes = test.engine.store.writes
        var tasks: (first: Task<Void, any Error>, report: Task<Verdict, any Error>)?
        try await busy(test) {
            let before = Task { try await first() }
            try await eventually("what goes before waits") { writes.waitingCount == 1 }
            let report = Task { try await test.report(handout, returnCode, as: returnCode == 0 ? nil : .busy) }
            try await eventually("the report waits behind it") { writes.waitingCount == 2 }
            tasks = (before, report)
        }
        let waiting = try #require(tasks)
        try await waiting.first.value
        return try await waiting.report.value
    }

    private func handout(_ test: TestEngine) async throws -> Handout {
        _ = try await test.register(try await test.user("alice"), extra: ["max_tries": 3])
        return try #require(try await test.claim(try await test.session()).first)
    }

    /// A cancel that came while the report's log was written: a failure is no reason to try again.
    @Test func cancelBeforeAFailure() async throws {
        let test = try await TestEngine()
        let handout = try await handout(test)
        let verdict = try await Self.reportBehind(test, handout, 1) {
            _ = try await test.engine.cancel(job: handout.job.id)
        }
        guard case .accepted = verdict else { return #expect(Bool(false), "\(verdict)") }
        #expect(try await test.elements(handout.job).map(\.phase) == [.cancelled])
    }

    /// Progress that came meanwhile: the report is taken, and what it does not say of bytes stays.
    @Test func progressBeforeASuccess() async throws {
        let test = try await TestEngine()
        let handout = try await handout(test)
        let item = handout.items[0]
        let progress = Attempt.Progress(transferred: 77, elapsed: 2, instant: 3, average: 4)
        let verdict = try await Self.reportBehind(test, handout, 0) {
            try await test.engine.progress(progress, job: handout.job.id, element: item.element.id, token: item.token)
        }
        guard case .accepted = verdict else { return #expect(Bool(false), "\(verdict)") }
        #expect(try await test.elements(handout.job).map(\.phase) == [.done])
        let id = AttemptID(jobID: handout.job.id, elementID: item.element.id, number: item.attempt)
        #expect(try await test.engine.store.read { try $0.attempt(id) }?.progress == progress)
    }

    /// The lease ended meanwhile, with its session: the report is refused, and the element waits for another.
    @Test func anEndedSession() async throws {
        let test = try await TestEngine()
        let handout = try await handout(test)
        let verdict = try await Self.reportBehind(test, handout, 0) { _ = try await test.session() }
        guard case .refused(let error) = verdict else { return #expect(Bool(false), "\(verdict)") }
        #expect(error.code == EngineError.leaseEnded.code)
        #expect(try await test.elements(handout.job).map(\.phase) == [.leased])
    }

    /// The same report came twice at once: the first is accepted, the other is known again.
    @Test func theSameReportMeanwhile() async throws {
        let test = try await TestEngine()
        let handout = try await handout(test)
        let verdict = try await Self.reportBehind(test, handout, 0) { _ = try await test.report(handout, 0) }
        guard case .repeated = verdict else { return #expect(Bool(false), "\(verdict)") }
        #expect(try await test.elements(handout.job).map(\.attempts) == [1])
    }

    /// A session that found work does not look before it takes; what was said of it since counts all the same.
    @Test func aFruitfulSession() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        for number in 0..<9 { _ = try await test.register(alice, path: "/\(number)") }
        let worker = try await test.session()
        func isFruitful() -> Bool { test.engine.fruitful.contains(worker.id) }
        #expect(try await test.claim(worker).count == 1 && isFruitful())
        _ = try await test.engine.setDrained(true, worker: "w")
        #expect(try await test.claim(worker).isEmpty && !isFruitful())
        _ = try await test.engine.setDrained(false, worker: "w")
        #expect(try await test.claim(worker).count == 1 && isFruitful())
        #expect(try await test.claim(worker, limit: 100).flatMap(\.items).count == 7 && isFruitful())
        #expect(try await test.claim(worker).isEmpty && !isFruitful())
        _ = try await test.register(alice, path: "/more")
        #expect(try await test.claim(worker).count == 1 && isFruitful())
        // Its worker began anew.
        _ = try await test.session()
        for _ in 0..<2 { await #expect(throws: EngineError.self) { try await test.claim(worker) } }
        #expect(!isFruitful())
    }

    /// Registrations that come together: one that repeats another gets the same job, one that uses its key for something
    /// else is refused, as is one of a queue too many; all others are there, each once.
    @Test func registrationsTogether() async throws {
        let test = try await TestEngine()
        let (alice, bob) = (try await test.user("alice"), try await test.user("bob"))
        for number in 1..<StoreWriter.queuesOfUser {
            _ = try await test.register(bob, extra: ["queue": .string("q\(number)")])
        }
        // With the one that a job has by itself he has all that he may: whoever comes first below, none is left.
        _ = try await test.register(bob)
        let key = IdempotencyKey(key: "k", request: [1])
        var tasks: [Task<Job, any Error>] = []
        try await Self.busy(test) {
            tasks = (0..<40).map { number in
                Task {
                    switch number % 10 {
                    case 3: try await test.register(alice, path: "/same", key: key)
                    case 5: try await test.register(bob, path: "/same", key: IdempotencyKey(key: "k", request: [2]))
                    case 7: try await test.register(bob, extra: ["queue": "one too many"])
                    default: try await test.register(alice, path: "/\(number)")
                    }
                }
            }
            try await eventually("all wait") { test.engine.registrations.waitingCount == 40 }
        }
        var ids: [[Int]] = [[], [], []]
        for (number, task) in tasks.enumerated() {
            switch number % 10 {
            case 7: await #expect(throws: StoreError.self) { try await task.value }
            case 3: ids[0].append(try await task.value.id)
            case 5: ids[1].append(try await task.value.id)
            default: ids[2].append(try await task.value.id)
            }
        }
        #expect(ids.map(\.count) == [4, 4, 28] && ids.map { Set($0).count } == [1, 1, 28])
        await #expect(throws: EngineError.self) {
            try await test.register(alice, path: "/other", key: IdempotencyKey(key: "k", request: [3]))
        }
        let jobs = try await test.engine.store.read { try $0.jobs(JobFilter(), after: 0, limit: 1000) }
        #expect(jobs.count == StoreWriter.queuesOfUser + 30)
        // Bob's queue too many left nothing behind, and each job its element.
        #expect(!jobs.contains { $0.queue == "one too many" })
        let (lanes, elements) = try await test.engine.store.read { reader in
            (
                try reader.usersWithWork(priority: 5).flatMap {
                    try reader.lanesWithWork(ofUser: $0, priority: 5, limit: 1000)
                }.map(\.ready).reduce(0, +),
                try jobs.filter { try reader.element(0, ofJob: $0.id) != nil }.count
            )
        }
        #expect(lanes == jobs.count && elements == jobs.count)
    }
}
