import HaulModel
import HaulStore
import Support
import Testing

@testable import HaulEngine

/// How much of a user may wait when more is registered.
@Suite struct WaitingLimitTests {
    private func refusal(_ body: () async throws -> Job) async -> EngineError? {
        do {
            _ = try await body()
            return nil
        } catch { return error as? EngineError }
    }

    @Test func aRegistrationPastIt() async throws {
        let test = try await TestEngine { $0.limits.usual.waiting = 3 }
        let (user, other) = (try await test.user("u"), try await test.user("o"))
        let key = IdempotencyKey(key: "k", request: [1])
        let first = try await test.register(user, key: key)
        for _ in 0..<2 { _ = try await test.register(user) }
        let refused = try #require(await refusal { try await test.register(user) })
        #expect(
            refused.kind == .overLimit && refused.code == "too_much_waits" && refused.detail.hasPrefix("3 elements"))
        _ = try await test.register(other)
        #expect(try await test.engine.jobs(JobFilter(), after: 0, limit: 100).count == 4, "nothing was registered")
        #expect(try await test.register(user, key: key).id == first.id, "what is answered already is answered again")
        // What is with a worker does not wait.
        let worker = try await test.session()
        #expect(try await test.claim(worker, limit: 2).count > 0)
        _ = try await test.register(user)
    }

    /// Many at once are registered or refused each for its own user, in one commit too.
    @Test func many() async throws {
        let test = try await TestEngine { configuration in
            configuration.limits.usual.waiting = 10
            configuration.limits.others["robot"] = UserLimits()
        }
        let (user, robot) = (try await test.user("u"), try await test.user("robot"))
        let counts = try await withThrowingTaskGroup(of: (Bool, Bool).self) { group in
            for n in 0..<60 {
                let who = n % 2 == 0 ? user : robot
                group.addTask { (who.name == "u", await refusal { try await test.register(who) } == nil) }
            }
            return try await group.reduce(into: [0, 0]) { if $1.1 { $0[$1.0 ? 0 : 1] += 1 } }
        }
        #expect(counts == [10, 30])
    }

    /// More than ever may wait is not told to come again.
    @Test func neverFits() async throws {
        let test = try await TestEngine { $0.limits.usual.waiting = 2 }
        let user = try await test.user("u")
        let request = try JobRequest(["src_siteid": 1, "src_filepath": "/d"], type: .mkdir, rules: test.engine.rules)
        do {
            _ = try await test.engine.register([request, request, request], user: user)
            Issue.record("it was registered")
        } catch let error as EngineError { #expect(error.kind == .tooLarge) }
        #expect(try await test.engine.register([request, request], user: user).count == 2)
    }

    /// A job that was accepted goes on, however much its listing expands into; only then new ones wait.
    @Test func expansionGoesOn() async throws {
        let test = try await TestEngine { $0.limits.usual.waiting = 5 }
        let user = try await test.user("u")
        let job = try await test.copy(user, files: 50)
        #expect(try await test.elements(job).count == 51)
        #expect(await refusal { try await test.register(user) }?.detail.hasPrefix("50 elements") == true)
        let worker = try await test.session()
        #expect(try await test.claim(worker, limit: 46).flatMap(\.items).count == 46)
        _ = try await test.register(user)
        #expect(await refusal { try await test.register(user) } != nil)
    }

    /// A user's own limit of elements with workers goes before that of all, and what it frees wakes who waits.
    @Test func runningOfOne() async throws {
        let test = try await TestEngine { configuration in
            configuration.runningPerUser = 1
            configuration.limits.others["robot"] = UserLimits()
            configuration.limits.others["robot"]?.running = 3
        }
        let (user, robot) = (try await test.user("u"), try await test.user("robot"))
        for _ in 0..<5 {
            _ = try await test.register(user)
            _ = try await test.register(robot)
        }
        let worker = try await test.session()
        let first = try await test.claim(worker, limit: 100)
        let users = first.map { ($0.job.userID, $0.items.count) }
        #expect(users.filter { $0.0 == user.id }.reduce(0) { $0 + $1.1 } == 1)
        #expect(users.filter { $0.0 == robot.id }.reduce(0) { $0 + $1.1 } == 3)
        #expect(try await test.claim(worker, limit: 100).isEmpty)
        let parked = Task {
            try await test.engine.claim(
                ClaimQuery(
                    types: Set(JobType.transfers), protocols: nil, sites: nil, session: worker.id,
                    measure: .number(100), bearer: worker.bearer, host: "h"), wait: 20)
        }
        let own = try #require(first.first { $0.job.userID == robot.id })
        guard case .accepted = try await test.report(own) else { throw StoreError.failed("refused") }
        #expect(try await parked.value.map(\.job.userID) == [robot.id])
    }
}
