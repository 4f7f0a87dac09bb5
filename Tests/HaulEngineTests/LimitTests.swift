import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// How many elements may be with workers at once: of a site in and out, of a queue, of a user.
@Suite(.timeLimit(.minutes(6))) struct LimitTests {
    private static func sites(into: Int? = nil, out: Int? = nil) -> [Site] {
        [
            Site(id: 1, name: "a", protocolName: .ssh, endpoints: [], limits: .init(out: out)),
            Site(id: 2, name: "b", protocolName: .ssh, endpoints: [], limits: .init(into: into)),
            Site(id: 3, name: "c", protocolName: .ssh, endpoints: []),
        ]
    }

    private func count(_ handouts: [Handout]) -> Int { handouts.map(\.items.count).reduce(0, +) }

    /// A site gives as much as its limit, to whoever asks, and goes on as what is out comes back. Others are not held up.
    @Test func outOfASite() async throws {
        let test = try await TestEngine(sites: Self.sites(out: 4))
        let alice = try await test.user("alice")
        for n in 0..<9 { _ = try await test.register(alice, .list, path: "/\(n)") }
        let elsewhere = try await test.register(alice, .list, path: "/x", extra: ["src_siteid": 3])
        let worker = try await test.session()
        let first = try await test.claim(worker, limit: 100)
        #expect(count(first) == 5 && first.contains { $0.job.id == elsewhere.id })
        #expect(try await test.claim(worker, limit: 100).isEmpty)
        #expect(try await test.out(.siteOut, 1) == 4)
        #expect(try await test.out(.siteOut, 3) == 1)
        // However it comes back: done, failed, cancelled, or with its lease.
        let mine = first.filter { $0.job.id != elsewhere.id }
        _ = try await test.report(mine[0], 0, listing: [ListingLine(directory: "/0", entry: nil)])
        _ = try await test.report(mine[1], 1, as: .permission)
        _ = try await test.engine.cancel(job: mine[2].job.id)
        _ = try await test.report(mine[2], 1, as: .interrupted)
        #expect(try await test.out(.siteOut, 1) == 1)
        let other = try await test.session("other")
        #expect(count(try await test.claim(other, limit: 100)) == 3)
        test.advance(seconds: 61)
        try await test.withDuties { try await test.out(.siteOut, 1) == 0 }
        #expect(try await test.out(.siteOut, 3) == 0)
        #expect(try await test.out(.user, alice.id) == 0)
    }

    /// A COPY counts at both ends, its LIST at its source alone, the directories that it makes at its destination.
    @Test func bothEnds() async throws {
        let test = try await TestEngine(sites: Self.sites(into: 3, out: 5))
        let alice = try await test.user("alice")
        let job = try await test.copy(alice, files: 8)
        #expect(try await test.out(.siteOut, 1) == 0)
        #expect(try await test.out(.siteIn, 2) == 0)
        let worker = try await test.session()
        let copies = try await test.claim(worker, limit: 100)
        #expect(count(copies) == 3)
        #expect(try await test.out(.siteOut, 1) == 3)
        #expect(try await test.out(.siteIn, 2) == 3)
        #expect(try await test.out(.siteOut, 2) == 0)
        #expect(try await test.engine.explain(job: job.id).blockers.map(\.code) == [.running, .siteLimit])
        // What needs no destination goes on up to the source's own limit.
        for n in 0..<4 { _ = try await test.register(alice, .list, path: "/l\(n)") }
        #expect(count(try await test.claim(worker, limit: 100)) == 2)
        #expect(try await test.out(.siteOut, 1) == 5)
    }

    @Test func aQueue() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        for n in 0..<6 { _ = try await test.register(alice, path: "/\(n)", extra: ["queue": "q"]) }
        let free = try await test.register(alice, path: "/free", extra: ["queue": "free"])
        let limited = try await test.engine.change(queue: "q", ofUser: alice.id, limit: 2)
        #expect(limited.limit == 2 && limited.paused == nil)
        let worker = try await test.session()
        let first = try await test.claim(worker, limit: 100)
        #expect(count(first) == 3 && first.contains { $0.job.id == free.id })
        let held = first.filter { $0.job.id != free.id }
        // What moves to another queue counts there from then on.
        _ = try await test.engine.change(job: held[0].job.id, JobChange(["queue": "free"]))
        let again = try await test.claim(worker, limit: 100)
        #expect(count(again) == 1)
        _ = try await test.report(held[0])
        #expect(try await test.claim(worker, limit: 100).isEmpty)
        // Back into a full queue: it is over its limit until something comes back.
        _ = try await test.engine.change(queue: "free", ofUser: alice.id, limit: 1)
        let freed = first.filter { $0.job.id == free.id }
        _ = try await test.engine.change(job: freed[0].job.id, JobChange(["queue": "q"]))
        #expect(try await test.engine.explain(job: again[0].job.id).blockers.map(\.code) == [.running])
        _ = try await test.report(held[1])
        #expect(try await test.claim(worker, limit: 100).isEmpty)
        #expect(try await test.engine.change(queue: "q", ofUser: alice.id, limit: .some(nil)).limit == nil)
        #expect(count(try await test.claim(worker, limit: 100)) == 3)
        #expect(try await test.engine.queues(ofUser: alice.id).map(\.limit) == [1, nil])
    }

    @Test func aUser() async throws {
        let test = try await TestEngine { $0.runningPerUser = 3 }
        let (alice, bob) = (try await test.user("alice"), try await test.user("bob"))
        for n in 0..<9 { _ = try await test.register(alice, path: "/\(n)", extra: ["queue": .string("q\(n % 2)")]) }
        for n in 0..<2 { _ = try await test.register(bob, path: "/b\(n)") }
        let worker = try await test.session()
        let first = try await test.claim(worker, limit: 100)
        #expect(first.count { $0.job.userID == alice.id } == 3 && first.count { $0.job.userID == bob.id } == 2)
        #expect(try await test.claim(worker, limit: 100).isEmpty)
        let handout = try #require(first.first { $0.job.userID == alice.id })
        _ = try await test.report(handout)
        #expect(count(try await test.claim(worker, limit: 100)) == 1)
    }

    /// Thirty at once, over and over: the limit is never passed, and reached.
    @Test func manyAtOnce() async throws {
        let test = try await TestEngine(sites: Self.sites(out: 7))
        let alice = try await test.user("alice")
        for n in 0..<70 { _ = try await test.register(alice, path: "/\(n)", extra: ["queue": .string("q\(n % 5)")]) }
        var done = 0
        var most = 0
        while done < 70 {
            let handouts = try await withThrowingTaskGroup(of: [Handout].self) { group in
                for n in 0..<30 {
                    let worker = try await test.session("w\(n)-\(done)")
                    group.addTask { try await test.claim(worker, limit: 3) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(handouts.count <= 7)
            try #require(!handouts.isEmpty)
            most = max(most, handouts.count)
            for handout in handouts { _ = try await test.report(handout) }
            done += handouts.count
        }
        #expect(most == 7)
    }

    /// A claim that is parked hears when there is room, and not before.
    @Test func theBell() async throws {
        let test = try await TestEngine(sites: Self.sites(out: 2))
        let alice = try await test.user("alice")
        for n in 0..<4 { _ = try await test.register(alice, path: "/\(n)") }
        for n in 0..<2 { _ = try await test.register(alice, path: "/c\(n)", extra: ["src_siteid": 3]) }
        let worker = try await test.session()
        let held = try await test.claim(worker, limit: 4)
        #expect(held.count == 4)
        let engine = test.engine
        var tasks: [Task<[Handout], any Error>] = []
        for n in 0..<5 {
            let parked = try await test.session("p\(n)")
            tasks.append(
                Task {
                    try await engine.claim(
                        ClaimQuery(
                            types: [.mkdir], protocols: nil, sites: nil, session: parked.id, measure: .number(1),
                            bearer: parked.bearer, host: "h"), wait: 600)
                })
        }
        try await test.until { engine.workBell.parked == 5 }
        // What comes back where nothing was full rings for nobody.
        let (rings, wakes) = (engine.workBell.rings, engine.workBell.wakes)
        for handout in held where handout.job.source.siteID == 3 { _ = try await test.report(handout) }
        #expect(engine.workBell.rings == rings && engine.workBell.parked == 5)
        let limited = held.filter { $0.job.source.siteID == 1 }
        _ = try await test.report(limited[0])
        try await test.until { engine.workBell.parked == 4 }
        #expect(engine.workBell.rings == rings + 1)
        try await test.until { try await test.out(.siteOut, 1) == 2 }
        _ = try await test.report(limited[1])
        try await test.until { engine.workBell.parked == 3 }
        #expect(engine.workBell.wakes == wakes + 2, "two had something to get, and nobody else was woken")
        try await test.until { try await test.out(.siteOut, 1) == 2 }
        for task in tasks { task.cancel() }
        var given = 0
        for task in tasks { given += try await task.value.count }
        #expect(given == 2)
    }

    /// A job that leaves its queue with what is out of it makes room there, and parked claims hear of it.
    @Test func theBellOfAQueueThatIsLeft() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let first = try await test.register(alice, path: "/1", extra: ["queue": "narrow"]).id
        let second = try await test.register(alice, path: "/2", extra: ["queue": "narrow"]).id
        _ = try await test.engine.change(queue: "narrow", ofUser: alice.id, limit: .some(1))
        let worker = try await test.session()
        #expect(try await test.claim(worker, limit: 9).map(\.job.id) == [first])
        let engine = test.engine
        let parked = Task {
            try await engine.claim(
                ClaimQuery(
                    types: [.mkdir], protocols: nil, sites: nil, session: worker.id, measure: .number(1),
                    bearer: worker.bearer, host: "h"), wait: 600)
        }
        try await test.until { engine.workBell.parked == 1 }
        _ = try await engine.change(job: first, JobChange(["queue": "wide"]))
        try await test.until { try await engine.element(0, ofJob: second)?.phase == .leased }
        parked.cancel()
        #expect(try await parked.value.map(\.job.id) == [second])
    }
}
