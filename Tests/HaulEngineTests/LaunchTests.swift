import HaulModel
import HaulStore
import Synchronization
import Testing

@testable import HaulEngine

/// Workers that are asked for are started once each, whoever does it and whatever comes between.
@Suite struct LaunchTests {
    private static func launcher(_ place: LaunchPlace, most: Int = 4, perUser: Int = 100) -> Launcher {
        Launcher(
            place: place, most: most, perUser: perUser,
            policy: LaunchMachine.Policy(tries: 2, retry: RetryPolicy(base: 10, maximum: 10))
        ) { ("secret", (0..<32).map { _ in UInt8.random(in: 0...255) }) }
    }

    private func keep(_ test: TestEngine) async throws {
        let launcher = try #require(test.engine.launcher)
        _ = try await LaunchKeeper(engine: test.engine, launcher: launcher).run()
    }

    private func queue(_ name: String, of user: User, _ test: TestEngine) async throws {
        _ = try await test.engine.make(Queue(name: name, paused: nil, isPopped: true), ofUser: user.id)
    }

    /// Who has the fewest comes first, and there are never more than the limit.
    @Test func takesTurns() async throws {
        let place = LaunchPlace()
        let test = try await TestEngine(launcher: Self.launcher(place, most: 3))
        let (a, b) = (try await test.user("a"), try await test.user("b"))
        try await queue("q", of: a, test)
        try await queue("q", of: b, test)
        _ = try await test.engine.launch(5, forQueue: "q", ofUser: a.id)
        test.advance(seconds: 1)
        _ = try await test.engine.launch(1, forQueue: "q", ofUser: b.id)
        try await keep(test)
        try await keep(test)
        #expect(place.started.count == 3)
        let phases = try await test.engine.launches(ofQueue: "q", ofUser: a.id).map(\.phase)
        #expect(phases == [.running, .running, .waiting, .waiting, .waiting])
        #expect(try await test.engine.launches(ofQueue: "q", ofUser: b.id).map(\.phase) == [.running])
        // One ends: the next begins.
        place.see(.ended(nil), of: try #require(place.started.first).key)
        try await keep(test)
        #expect(place.started.count == 4 && place.living.count == 3)
        // The queue is open to workers, and its token is for it alone.
        #expect(try await test.engine.queue("q", ofUser: a.id).isPopped == false)
        let token = try await test.engine.store.read { reader in
            try reader.tokens(ofUser: b.id, after: 0, limit: 10).first
        }
        #expect(
            token?.record.spec.users == ["b"] && token?.record.spec.queues == ["q"] && token?.record.role == .worker)
    }

    /// Two servers of a database, each at its own pace: nothing is started twice.
    @Test func sharedOut() async throws {
        let places = [LaunchPlace(), LaunchPlace()]
        let first = try await TestEngine(launcher: Self.launcher(places[0], most: 20))
        let second = try await TestEngine(in: first, server: 2, launcher: Self.launcher(places[1], most: 20))
        try await enter([first, second])
        let user = try await first.user("a")
        try await queue("q", of: user, first)
        _ = try await first.engine.launch(30, forQueue: "q", ofUser: user.id)
        try await withThrowingTaskGroup { group in
            for test in [first, second] { group.addTask { for _ in 0..<3 { try await keep(test) } } }
            try await group.waitForAll()
        }
        let keys = places.flatMap { $0.started.map(\.key) }
        #expect(keys.count == 30 && Set(keys).count == 30)
        #expect(places.allSatisfy { $0.living.count <= 20 })
        // One of them is silent: what it had is the other's after a while, and not before.
        let own = places[0].living.count
        first.advance(seconds: 20)
        try await keep(second)
        #expect(places[1].living.count == 30 - own)
        first.advance(seconds: 20)
        try await enter([second])
        try await keep(second)
        #expect(places[1].living.count == 20)
        let waiting = try await first.engine.launches(ofQueue: "q", ofUser: user.id).filter { $0.phase == .waiting }
        #expect(waiting.count == 10)
        // What it had is worth nothing: it ends its own when it is back.
        try await enter([first])
        try await keep(first)
        #expect(Set(places[0].living).isDisjoint(with: places[1].living))
        #expect(places[0].living.count == 10)
    }

    /// A cluster: its jobs are known again by another run, and a start that came to nothing is made good.
    @Test func aClusterOutlivesServers() async throws {
        let place = LaunchPlace(.cluster)
        let first = try await TestEngine(launcher: Self.launcher(place))
        try await enter([first])
        let user = try await first.user("a")
        try await queue("q", of: user, first)
        _ = try await first.engine.launch(2, forQueue: "q", ofUser: user.id)
        try await keep(first)
        // A job that nobody wrote down: the server died between.
        let stray = Launch.Key(launch: 99, start: 1)
        place.see(.lives("job"), of: stray)
        let second = try await TestEngine(in: first, server: 2, launcher: Self.launcher(place))
        try await enter([second])
        place.goAway(true)
        await #expect(throws: LaunchPlace.Away.self) { try await keep(second) }
        #expect(try await first.engine.launches(ofQueue: "q", ofUser: user.id).map(\.phase) == [.running, .running])
        place.goAway(false)
        try await keep(second)
        #expect(place.started.count == 2 && !place.living.contains(stray))
        // With the queue they are ended, by whoever sees it first.
        try await second.engine.remove(queue: "q", ofUser: user.id)
        try await keep(second)
        #expect(place.living.isEmpty)
        try await keep(first)
        #expect(try await first.engine.store.read { try $0.openLaunches(after: 0, limit: 9) }.isEmpty)
        #expect(place.started.count == 2)
    }

    /// A start that was taken and of which nothing came: this run of the server, or the next, makes it good.
    @Test func crashesBetween() async throws {
        let place = LaunchPlace()
        let test = try await TestEngine(launcher: Self.launcher(place))
        let user = try await test.user("a")
        try await queue("q", of: user, test)
        _ = try await test.engine.launch(1, forQueue: "q", ofUser: user.id)
        try await keep(test)
        let key = try #require(place.started.first).key
        place.see(nil, of: key)
        let held = try #require(try await test.engine.launches(ofQueue: "q", ofUser: user.id).first?.token)
        try await keep(test)
        #expect(place.started.count == 2 && place.living.count == 1)
        let known = try await test.engine.store.read { try $0.token(held) }
        #expect(known?.revoked != nil)
    }

    /// What another server starts while this one looks is left alone.
    @Test func startedMeanwhile() async throws {
        let place = LaunchPlace(.cluster)
        let first = try await TestEngine(launcher: Self.launcher(place))
        let second = try await TestEngine(in: first, server: 2, launcher: Self.launcher(place))
        try await enter([first, second])
        let user = try await first.user("a")
        try await queue("q", of: user, first)
        let stray = Launch.Key(launch: 99, start: 1)
        place.leave(stray)
        place.afterLooking {
            _ = try await second.engine.launch(2, forQueue: "q", ofUser: user.id)
            try await keep(second)
        }
        try await keep(first)
        #expect(place.living.count == 2 && place.folders == place.living)
        #expect(try await first.engine.launches(ofQueue: "q", ofUser: user.id).map(\.phase) == [.running, .running])
    }

    /// One that can't be started spares the next ones the try, until the next round.
    @Test func oneFailureARound() async throws {
        let place = LaunchPlace()
        let test = try await TestEngine(launcher: Self.launcher(place))
        let user = try await test.user("a")
        try await queue("q", of: user, test)
        place.refuse("no")
        _ = try await test.engine.launch(3, forQueue: "q", ofUser: user.id)
        try await keep(test)
        #expect(place.started.count == 1)
        place.refuse(nil)
        try await keep(test)
        #expect(place.started.count == 3 && place.living.count == 2)
    }

    /// A cluster that knows nothing of a job any more has lost it: it is started again, up to the limit.
    @Test func forgottenByItsCluster() async throws {
        let place = LaunchPlace(.cluster)
        let test = try await TestEngine(launcher: Self.launcher(place))
        try await enter([test])
        let user = try await test.user("a")
        try await queue("q", of: user, test)
        _ = try await test.engine.launch(1, forQueue: "q", ofUser: user.id)
        for turn in 1...2 {
            try await keep(test)
            #expect(place.started.count == turn)
            place.see(nil, of: try #require(place.started.last).key)
            try await keep(test)
            test.advance(seconds: 11)
        }
        let launch = try await test.engine.launches(ofQueue: "q", ofUser: user.id).first
        #expect(launch?.phase == .ended && launch?.reason == "nothing is known of it any more")
    }

    /// Those who are to end don't count against who asks for others.
    @Test func endedAndAskedAgain() async throws {
        let place = LaunchPlace(.cluster)
        let test = try await TestEngine(launcher: Self.launcher(place, perUser: 2))
        try await enter([test])
        let user = try await test.user("a")
        try await queue("q", of: user, test)
        _ = try await test.engine.launch(2, forQueue: "q", ofUser: user.id)
        try await keep(test)
        await #expect(throws: EngineError.self) { try await test.engine.launch(1, forQueue: "q", ofUser: user.id) }
        try await test.engine.endLaunches(ofQueue: "q", ofUser: user.id)
        let all = try await test.engine.launch(2, forQueue: "q", ofUser: user.id)
        #expect(all.map(\.phase) == [.running, .running, .waiting, .waiting])
    }

    /// A server that starts none any more, and one that starts them elsewhere, leave what may live, and close what does not.
    @Test(arguments: [Launch.Kind.server, .cluster]) func nobodyStartsThem(_ kind: Launch.Kind) async throws {
        let (place, other) = (LaunchPlace(kind), LaunchPlace(kind == .server ? .cluster : .server))
        let first = try await TestEngine(launcher: Self.launcher(place))
        let second = try await TestEngine(in: first, server: 2)
        let third = try await TestEngine(in: first, server: 3, launcher: Self.launcher(other))
        try await enter([first, second, third])
        let user = try await first.user("a")
        for name in ["kept", "gone"] {
            try await queue(name, of: user, first)
            _ = try await first.engine.launch(1, forQueue: name, ofUser: user.id)
        }
        try await keep(first)
        try await first.engine.endLaunches(ofQueue: "gone", ofUser: user.id)
        func phases() async throws -> [Launch.Phase?] {
            [
                try await first.engine.launches(ofQueue: "kept", ofUser: user.id).first?.phase,
                try await first.engine.launches(ofQueue: "gone", ofUser: user.id).first?.phase,
            ]
        }
        _ = try await LaunchCloser(engine: second.engine).run()
        try await keep(third)
        #expect(try await phases() == [.running, .running] && other.started.isEmpty)
        // Its server is gone, and so are workers of its own; those of a cluster go on.
        first.advance(seconds: 40)
        try await enter([second, third])
        _ = try await LaunchCloser(engine: second.engine).run()
        #expect(try await phases() == [kind == .server ? .waiting : .running, .ended])
        try await keep(third)
        #expect(other.started.count == (kind == .server ? 1 : 0))
    }

    /// What can't be started waits, and is given up.
    @Test func refusals() async throws {
        let place = LaunchPlace()
        let test = try await TestEngine(launcher: Self.launcher(place))
        let user = try await test.user("a")
        try await queue("q", of: user, test)
        place.refuse("no")
        _ = try await test.engine.launch(1, forQueue: "q", ofUser: user.id)
        try await keep(test)
        try await keep(test)
        #expect(place.started.count == 1 && place.folders.isEmpty)
        test.advance(seconds: 10)
        try await keep(test)
        let launch = try await test.engine.launches(ofQueue: "q", ofUser: user.id).first
        #expect(launch?.phase == .ended && launch?.reason == "no" && launch?.starts == 2)
        // Nothing of it stays for ever.
        test.advance(seconds: 25 * 3600)
        _ = try await Pruner(engine: test.engine).run()
        #expect(try await test.engine.launches(ofQueue: "q", ofUser: user.id).isEmpty)
        #expect(try await test.engine.store.read { try $0.tokens(ofUser: user.id, after: 0, limit: 9) }.isEmpty)
    }

    /// Notes that these servers live.
    private func enter(_ tests: [TestEngine]) async throws {
        for test in tests {
            var own = test.engine.identity
            own.url = "http://\(own.id)"
            own.seen = test.engine.world.now()
            try await test.engine.store.write { [own] in try $0.enterServer(own) }
        }
    }
}
