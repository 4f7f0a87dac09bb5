import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// A user with very much delays another's few by no more than a batch; the tail of a job goes before a new one.
@Suite(.timeLimit(.minutes(4))) struct FairnessTests {
    /// A user with 100,000 elements in several lanes.
    private func crowd(_ test: TestEngine) async throws -> User {
        let big = try await test.user("big")
        for lane in 0..<5 {
            _ = try await test.copy(big, files: 20_000, path: "/big\(lane)", extra: ["queue": .string("q\(lane)")])
        }
        return big
    }

    private func few(_ test: TestEngine, _ user: User, _ count: Int = 10) async throws {
        for n in 0..<count { _ = try await test.register(user, path: "/few\(n)") }
    }

    private func query(_ worker: (bearer: TokenRecord, id: Int), _ measure: ClaimQuery.Measure) -> ClaimQuery {
        ClaimQuery(
            types: Set(JobType.transfers), protocols: nil, sites: nil, session: worker.id, measure: measure,
            bearer: worker.bearer, host: "h")
    }

    /// Claims until ten of a user's elements were handed out.
    ///
    /// - Returns: elements of others that were handed out before the last of them.
    private func delay(
        _ test: TestEngine, _ user: User, _ worker: (bearer: TokenRecord, id: Int), _ measure: ClaimQuery.Measure,
        reporting: Bool = false
    ) async throws -> Int {
        var others = 0
        var mine = 0
        for _ in 0..<200 where mine < 10 {
            let handouts = try await test.engine.claim(query(worker, measure), wait: 0)
            if handouts.isEmpty { break }
            for handout in handouts {
                if handout.job.userID == user.id { mine += handout.items.count }
                if mine < 10, handout.job.userID != user.id { others += handout.items.count }
                guard reporting else { continue }
                for item in handout.items.indices { _ = try await test.report(handout, item: item) }
            }
        }
        #expect(mine == 10)
        return others
    }

    @Test func noMoreThanABatch() async throws {
        let test = try await TestEngine()
        _ = try await crowd(test)
        let worker = try await test.session()
        // The big one has had much already.
        for _ in 0..<3 { _ = try await test.claim(worker, limit: 1000) }
        let measures: [(ClaimQuery.Measure, Int)] = [
            (.number(1), 1), (.number(20), 20), (.number(100), 100), (.number(1000), 1000),
            // Ten bytes a file.
            (.size(10), 1), (.size(1000), 100),
        ]
        for (number, (measure, batch)) in measures.enumerated() {
            // A new user, and one who was here before and comes back.
            for user in [try await test.user("new\(number)"), try await test.user("old")] {
                try await few(test, user)
                let others = try await delay(test, user, worker, measure)
                #expect(others <= batch, "\(user.name), \(measure): \(others)")
                for _ in 0..<3 { _ = try await test.engine.claim(query(worker, measure), wait: 0) }
            }
        }
    }

    /// The same where hardly anything may be out at once.
    @Test func withLimits() async throws {
        let sites = [1, 2].map {
            Site(id: $0, name: "s\($0)", protocolName: .ssh, endpoints: [], limits: .init(into: 3, out: 3))
        }
        let test = try await TestEngine(sites: sites) { $0.runningPerUser = 3 }
        let big = try await test.user("big")
        _ = try await test.copy(big, files: 2000)
        let worker = try await test.session()
        for _ in 0..<30 {
            for handout in try await test.claim(worker, limit: 100) {
                for item in handout.items.indices { _ = try await test.report(handout, item: item) }
            }
        }
        let small = try await test.user("small")
        try await few(test, small)
        #expect(try await delay(test, small, worker, .number(100), reporting: true) <= 3)
    }

    /// One who needs little and often keeps nobody's clock back: of two with much, the one who came later does not go
    /// first until they have had as much.
    @Test func aTrickleHoldsNoClock() async throws {
        let test = try await TestEngine()
        let (early, late, drop) = (
            try await test.user("early"), try await test.user("late"), try await test.user("drop")
        )
        _ = try await test.copy(early, files: 3000)
        let worker = try await test.session()
        for n in 0..<50 {
            _ = try await test.register(drop, path: "/drop\(n)")
            _ = try await test.claim(worker, limit: 20)
        }
        _ = try await test.copy(late, files: 3000)
        var given: [Int: Int] = [:]
        for _ in 0..<20 {
            for handout in try await test.claim(worker, limit: 20) {
                given[handout.job.userID, default: 0] += handout.items.count
            }
        }
        #expect((150...250).contains(given[early.id] ?? 0), "\(given)")
    }

    /// What is left of a nearly finished job goes before a new one of the same user and priority, whichever lane it is in,
    /// and not before that of a higher priority.
    @Test(arguments: [false, true]) func theTail(acrossLanes: Bool) async throws {
        let test = try await TestEngine { $0.retry = RetryPolicy(base: 0.01, maximum: 0.01) }
        let alice = try await test.user("alice")
        let worker = try await test.session()
        let large = try await test.copy(alice, files: 300, path: "/large")
        let job = try await test.copy(
            alice, files: 12, path: "/small", extra: acrossLanes ? ["queue": "another"] : [:])
        _ = try await test.engine.change(queue: "default", ofUser: alice.id, isPaused: true)
        if !acrossLanes { _ = try await test.engine.change(job: job.id, JobChange(["queue": "another"])) }
        var left: [Handout] = []
        for n in 0..<12 {
            let handout = try #require(try await test.claim(worker).first)
            #expect(handout.job.id == job.id)
            if n < 10 { _ = try await test.report(handout) } else { left.append(handout) }
        }
        for handout in left { _ = try await test.report(handout, 1) }
        if !acrossLanes { _ = try await test.engine.change(job: job.id, JobChange(["queue": "default"])) }
        _ = try await test.engine.change(queue: "default", ofUser: alice.id, isPaused: false)
        test.advance(seconds: 1)
        _ = try await RetryLater(engine: test.engine).run()
        _ = try await test.register(alice, path: "/new")
        let urgent = try await test.register(alice, path: "/urgent", priority: 1)
        let order = try await test.claim(worker, limit: 6).flatMap { handout in
            handout.items.map { _ in handout.job.id }
        }
        #expect(order == [urgent.id, job.id, job.id, large.id, large.id, large.id], "\(order)")
        // No element twice.
        #expect(try await test.claim(worker, limit: 1000).allSatisfy { $0.job.id != job.id })
    }
}
