import HaulModel
import Testing

@testable import HaulEngine
@testable import HaulStore

/// A site that is down: nothing of it is handed out but one element from time to time, and nothing else waits for it.
@Suite(.timeLimit(.minutes(6))) struct BreakerTests {
    private static let sites = (1...3).map {
        Site(id: $0, name: "s\($0)", protocolName: .ssh, endpoints: [])
    }

    private func engine(in used: TestEngine? = nil) async throws -> TestEngine {
        try await TestEngine(in: used, sites: Self.sites) {
            $0.breaker = BreakerPolicy(failures: 3, base: 10, maximum: 40)
            $0.retry = RetryPolicy(base: 1, maximum: 1)
        }
    }

    private func breaker(_ test: TestEngine, _ key: Breaker.Key = .init(1)) async throws -> Breaker? {
        try await test.engine.store.read { try $0.breakers().first { $0.key == key } }
    }

    /// Takes and fails one element after the other until nothing is handed out any more.
    private func fail(
        _ test: TestEngine, _ worker: (bearer: TokenRecord, id: Int), _ types: Set<JobType> = [.mkdir]
    ) async throws -> Int {
        for count in 0..<100 {
            guard let handout = try await test.claim(worker, types: types).first else { return count }
            _ = try await test.report(handout, 1, as: .connect)
        }
        return 100
    }

    @Test func opensTriesAndCloses() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        var jobs: [Int] = []
        for n in 0..<10 { jobs.append(try await test.register(alice, path: "/\(n)").id) }
        var worker = try await test.session()
        #expect(try await fail(test, worker) == 3)
        // All else goes on.
        let other = try await test.register(alice, path: "/o", extra: ["src_siteid": 2])
        let well = try await test.claim(worker, limit: 100)
        try #require(well.map(\.job.id) == [other.id])
        _ = try await test.report(well[0])
        let found = try await test.engine.explain(job: jobs[5])
        #expect(found.blockers.map(\.code) == [.siteDown] && found.blockers[0].detail.contains("with connect"))
        #expect(found.blockers[0].until == (try await breaker(test)?.until))
        // One tries, again and again, each time later; it costs no try.
        var waited: [Double] = []
        for _ in 0..<4 {
            let opened = test.engine.world.now()
            let until = try #require(try await breaker(test)?.until)
            waited.append(until.seconds(since: opened))
            test.advance(seconds: waited[waited.count - 1] - 0.01)
            try await test.withDuties {
                try await test.engine.store.read { try $0.dueElements(now: test.engine.world.now(), limit: 9).isEmpty }
            }
            #expect(try await test.claim(worker, limit: 100).isEmpty)
            test.advance(seconds: 0.01)
            worker = try await test.session()
            let probe = try await test.claim(worker, limit: 100)
            try #require(probe.count == 1 && probe[0].items.count == 1)
            #expect(try await test.claim(worker, limit: 100).isEmpty)
            _ = try await test.report(probe[0], 1, as: .connect)
            let element = try await test.engine.element(0, ofJob: probe[0].job.id)
            #expect(element?.forgiven ?? 0 > 0 && element?.tries ?? 9 < 2 && element?.phase == .delayed)
        }
        for (wait, most) in zip(waited, [10.0, 20, 40, 40]) { #expect((most / 2...most).contains(wait), "\(waited)") }
        test.advance(seconds: 41)
        worker = try await test.session()
        let probe = try #require(try await test.claim(worker, limit: 100).first)
        _ = try await test.report(probe)
        #expect(try await breaker(test) == nil)
        #expect(try await test.claim(worker, limit: 100).count >= 6)
    }

    /// A probe that is never heard of keeps nothing shut: neither one whose worker died, nor one that takes for ever.
    @Test func lostProbes() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        for n in 0..<10 { _ = try await test.register(alice, path: "/\(n)") }
        let worker = try await test.session()
        #expect(try await fail(test, worker) == 3)
        test.advance(seconds: 11)
        #expect(try await test.claim(worker, limit: 100).count == 1)
        test.advance(seconds: 39)
        let second = try await test.session("second")
        #expect(try await test.claim(second, limit: 100).isEmpty)
        test.advance(seconds: 2)
        #expect(try await test.claim(second, limit: 100).count == 1)
        _ = try await test.session("second")
        try await test.withDuties { try await breaker(test)?.probe == nil }
        test.advance(seconds: 11)
        let third = try await test.session("third")
        let probe = try #require(try await test.claim(third, limit: 100).first)
        // Bytes that move are as good as an end: one may be long in coming.
        let item = probe.items[0]
        try await test.engine.progress(
            .init(transferred: 1, elapsed: 1, instant: 1, average: 1), job: probe.job.id, element: item.element.id,
            token: item.token)
        #expect(try await breaker(test) == nil)
    }

    /// Open stays open, over a restart too.
    @Test func durable() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        for n in 0..<5 { _ = try await test.register(alice, path: "/\(n)") }
        #expect(try await fail(test, try await test.session()) == 3)
        let next = try await engine(in: test)
        let worker = try await next.session()
        #expect(try await next.claim(worker, limit: 100).isEmpty)
        next.advance(seconds: 11)
        #expect(try await next.claim(worker, limit: 100).count == 1)
    }

    /// A claim that is parked gets the element that tries, as soon as it may.
    @Test func theBell() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        for n in 0..<5 { _ = try await test.register(alice, path: "/\(n)") }
        let worker = try await test.session()
        #expect(try await fail(test, worker) == 3)
        let engine = test.engine
        let parked = Task { try await test.engine.claim(query(worker), wait: 600) }
        try await test.until { engine.workBell.parked == 1 }
        let prober = Prober(engine: engine)
        let rings = engine.workBell.rings
        _ = try await prober.run()
        #expect(engine.workBell.rings == rings)
        test.advance(seconds: 11)
        _ = try await prober.run()
        try await test.until { try await test.out(.siteOut, 1) == 1 }
        parked.cancel()
        #expect(try await parked.value.count == 1)
    }

    /// A look that failed is made up for by the next one.
    @Test func theBellAfterAFault() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        for n in 0..<5 { _ = try await test.register(alice, path: "/\(n)") }
        #expect(try await fail(test, try await test.session()) == 3)
        let engine = test.engine
        let prober = Prober(engine: engine)
        test.advance(seconds: 11)
        let rings = engine.workBell.rings
        try await engine.store.write { _ = try $0.db.run("ALTER TABLE breakers RENAME TO away") }
        await #expect(throws: StoreError.self) { _ = try await prober.run() }
        try await engine.store.write { _ = try $0.db.run("ALTER TABLE away RENAME TO breakers") }
        #expect(engine.workBell.rings == rings)
        _ = try await prober.run()
        #expect(engine.workBell.rings == rings + 1)
    }

    private func query(_ worker: (bearer: TokenRecord, id: Int)) -> ClaimQuery {
        ClaimQuery(
            types: [.mkdir], protocols: nil, sites: nil, session: worker.id, measure: .number(9),
            bearer: worker.bearer, host: "h")
    }

    /// Copies from a site that is well to one that is down: the former goes on with all else, the latter's other work
    /// spends no tries.
    @Test func twoSites() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        let dead = try await test.copy(alice, files: 10)
        let worker = try await test.session()
        for _ in 0..<3 {
            let handout = try #require(try await test.claim(worker, types: [.copy]).first)
            _ = try await test.report(handout, 1, as: .connect)
            // Something goes well at the source meanwhile.
            _ = try await test.register(alice, .mkdir, path: "/m")
            _ = try await test.report(try #require(try await test.claim(worker, types: [.mkdir]).first))
        }
        #expect(try await test.claim(worker, types: [.copy]).isEmpty)
        #expect(try await breaker(test, .init(2))?.isOpen == true)
        let down = try await test.engine.explain(job: dead.id)
        #expect(down.blockers.map(\.code).contains(.siteDown) && down.blockers.contains { $0.detail.contains("s2") })
        _ = try await test.register(alice, .list, path: "/at2", extra: ["src_siteid": 2])
        #expect(try await test.claim(worker, types: [.list]).isEmpty)
        let well = try await test.copy(alice, files: 2, path: "/well", extra: ["dst_siteid": 3])
        #expect(try await test.claim(worker, limit: 9, types: [.copy]).map(\.job.id) == [well.id])
    }

    /// What a report says is believed.
    @Test func blamed() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        _ = try await test.copy(alice, files: 10)
        let worker = try await test.session()
        for _ in 0..<3 {
            _ = try await test.report(
                try #require(try await test.claim(worker).first), 1, as: .timeout, blamed: 1)
        }
        #expect(try await test.engine.store.read { try $0.breakers().map(\.key) } == [.init(1)])
        #expect(try await breaker(test)?.isOpen == true)
    }
    /// A report that names a site at which its element has nothing to do says nothing of those at which it has.
    @Test func blamedElsewhere() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        _ = try await test.copy(alice, files: 10)
        let worker = try await test.session()
        for _ in 0..<2 {
            _ = try await test.report(try #require(try await test.claim(worker).first), 1, as: .connect)
        }
        let before = try await test.engine.store.read { try $0.breakers() }
        #expect(before.count == 3)
        _ = try await test.report(try #require(try await test.claim(worker).first), 1, as: .noSpace, blamed: 3)
        #expect(try await test.engine.store.read { try $0.breakers() } == before)
        _ = try await test.report(try #require(try await test.claim(worker).first), 1, as: .noSpace, blamed: 2)
        #expect(try await breaker(test, .init(2)) == nil, "what is its own is believed")
    }
}
