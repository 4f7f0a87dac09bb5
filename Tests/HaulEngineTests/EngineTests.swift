import HaulEngine
import HaulModel
import HaulStore
import Testing

/// What needs a clock that a test moves: a day of idempotency keys, leases, waits between tries; and fairness.
@Suite struct EngineTests {
    /// A key is remembered for a day, and means a new job after it.
    @Test func keysOfADay() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let key = IdempotencyKey(key: "k", request: [1])
        let first = try await test.register(alice, key: key)
        test.advance(seconds: 24 * 3600 - 1)
        #expect(try await test.register(alice, key: key).id == first.id)
        test.advance(seconds: 2)
        #expect(try await test.register(alice, key: key).id != first.id)
    }

    /// A lease ends by the clock alone: before any duty ran, a report is late; after it, the element is given again.
    @Test func leaseByTheClock() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"))
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker).first)
        test.advance(seconds: 61)
        guard case .refused(let error) = try await test.report(handout) else {
            Issue.record("a late report was taken")
            return
        }
        #expect(error.code == "lease_ended")
        await #expect(throws: EngineError.self) { _ = try await test.claim(worker) }
        try await test.withDuties {
            try await test.engine.store.read { try $0.element(0, ofJob: job.id)?.phase } == .ready
        }
        let next = try #require(try await test.claim(try await test.session("other")).first)
        #expect(next.items[0].attempt == 2 && next.items[0].element.forgiven == 1)
        guard case .accepted = try await test.report(next) else {
            Issue.record("the new holder was refused")
            return
        }
        guard case .refused = try await test.report(handout) else {
            Issue.record("the old one was taken")
            return
        }
    }

    /// What a worker cut off because it was told to end is handed out again at once, costs no try, and speaks against no site.
    @Test func givenBack() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"))
        for attempt in 1...5 {
            let handout = try #require(try await test.claim(try await test.session("w\(attempt)")).first)
            #expect(handout.items[0].attempt == attempt)
            if attempt % 2 == 0 {
                try await test.engine.progress(
                    .init(transferred: 1, elapsed: 1, instant: 1, average: 1), job: job.id, element: 0,
                    token: handout.items[0].token)
            }
            guard case .accepted = try await test.report(handout, 1, as: .drained) else {
                Issue.record("it was not taken back")
                return
            }
            let element = try await test.engine.store.read { try $0.element(0, ofJob: job.id) }
            #expect(element?.phase == .ready && element?.tries == 0 && element?.errorClass == nil)
        }
        #expect(try await test.engine.store.read { try $0.breakers().isEmpty })
        let ended = try await test.engine.endedAttempts(ofJob: job.id, latestOnly: false, after: (-1, 0), limit: 9)
        #expect(ended.map(\.attempt.errorClass) == Array(repeating: .drained, count: 5))
        let last = try #require(try await test.claim(try await test.session("last")).first)
        guard case .accepted = try await test.report(last) else {
            Issue.record("the last was refused")
            return
        }
        #expect(try await test.engine.job(job.id)?.status == .done)
    }

    /// A lease lost before any progress costs no try, at most ten times.
    @Test func tenLossesAreForgiven() async throws {
        let test = try await TestEngine { $0.retry = RetryPolicy(base: 0.01, maximum: 0.01) }
        let job = try await test.register(try await test.user("alice"))
        for loss in 1...12 {
            let worker = try await test.session()
            #expect(try await test.claim(worker).first?.items.first?.attempt == loss)
            test.advance(seconds: 61)
            try await test.withDuties {
                let element = try await test.engine.store.read { try $0.element(0, ofJob: job.id) }
                if element?.phase == .delayed { test.advance(seconds: 1) }
                return element?.phase == .ready || element?.phase == .failed
            }
        }
        let element = try #require(try await test.engine.store.read { try $0.element(0, ofJob: job.id) })
        #expect(element.phase == .failed && element.forgiven == 10 && element.attempts == 12, "two tries were spent")
        #expect(try await test.engine.store.read { try $0.job(job.id)?.status } == .failed)
    }

    /// Between users: one with a thousand jobs does not hold up one with a few.
    @Test func fairness() async throws {
        let test = try await TestEngine()
        let busy = try await test.user("busy")
        let calm = try await test.user("calm")
        for n in 0..<40 { _ = try await test.register(busy, path: "/\(n)") }
        for n in 0..<5 { _ = try await test.register(calm, path: "/c\(n)") }
        let worker = try await test.session()
        var order: [Int] = []
        for _ in 0..<12 { order += try await test.claim(worker).map(\.job.userID) }
        #expect(order.count { $0 == calm.id } == 5, "\(order)")
        // One who comes back later is owed little for the time that they were away: a few elements go first.
        let late = try await test.user("late")
        for n in 0..<40 { _ = try await test.register(late, path: "/l\(n)") }
        order = []
        let credit = test.engine.configuration.fairnessCredit
        for _ in 0..<credit { order += try await test.claim(worker).map(\.job.userID) }
        #expect(order.prefix(5).allSatisfy { $0 == late.id }, "\(order)")
        order = []
        for _ in 0..<10 { order += try await test.claim(worker).map(\.job.userID) }
        #expect((4...6).contains(order.count { $0 == late.id }), "\(order)")
    }

    /// The same report twice in one group, and two that contradict each other.
    @Test func twiceInOneGroup() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"))
        let handout = try #require(try await test.claim(try await test.session()).first)
        let item = try #require(handout.items.first)
        func report(_ code: Int, _ hash: UInt8) -> Report {
            Report(
                jobID: job.id, elementID: 0, token: item.token, returnCode: code, host: "h", log: [1], sent: ["\(hash)"]
            )
        }
        let verdicts = try await test.engine.report([report(0, 1), report(0, 1), report(1, 2)])
        guard case .accepted = verdicts[0], case .repeated = verdicts[1], case .refused = verdicts[2] else {
            Issue.record("\(verdicts)")
            return
        }
        #expect(try await test.engine.store.read { try $0.element(0, ofJob: job.id)?.attempts } == 1)
    }

    /// Many REMOVE jobs that wait for nothing but a worker give the duty that opens directories nothing to do.
    @Test func openRemovals() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        for n in 0..<10 { _ = try await test.register(alice, .remove, path: "/\(n)") }
        #expect(try await test.engine.store.read { try $0.openableRemovals(limit: 10) } == [])
    }

    /// Rows are written many at a time: each job has its own id and its own first element, whatever is left over.
    @Test(arguments: [1, 24, 25, 26, 50, 63]) func manyAtOnce(_ count: Int) async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let requests = try (0..<count).map { number in
            try JobRequest(
                ["src_siteid": 1, "src_filepath": .string("/\(number)")], type: .list, rules: test.engine.rules)
        }
        let jobs = try await test.engine.register(requests, user: alice, key: nil)
        #expect(Set(jobs.map(\.id)).count == count)
        for (number, job) in jobs.enumerated() {
            #expect(try await test.engine.job(job.id)?.source.path == "/\(number)")
            #expect(try await test.elements(job).map(\.sourcePath) == ["/\(number)"])
        }
    }
}
