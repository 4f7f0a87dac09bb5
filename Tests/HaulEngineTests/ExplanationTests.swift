import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Each reason for which a job waits, provoked.
@Suite(.timeLimit(.minutes(5))) struct ExplanationTests {
    private static func files(_ count: Int) -> [ListingLine] {
        (0..<count).map { ListingLine(directory: "/d", entry: ListingEntry(name: "f\($0)", kind: .file)) }
    }

    /// Of the user's other lanes at least one element goes first of each whose turn it is; all that is left of nearly
    /// finished jobs does.
    @Test func turnsOfLanes() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let worker = try await test.session()
        for queue in ["a", "b", "c"] {
            for n in 0..<3 {
                _ = try await test.register(alice, path: "/\(queue)\(n)", extra: ["queue": .string(queue)])
            }
        }
        let last = try await test.register(alice, path: "/c3", extra: ["queue": "c"]).id
        // Three before it in its own lane, and one of each other lane.
        #expect(try await test.engine.explain(job: last).ahead == 5)
        _ = try await test.engine.change(queue: "a", ofUser: alice.id, isPaused: true)
        #expect(try await test.engine.explain(job: last).ahead == 4)
        _ = try await test.engine.change(queue: "a", ofUser: alice.id, isPaused: false)
        for expected in [4, 3] {
            _ = try await test.claim(worker)
            #expect(try await test.engine.explain(element: 0, ofJob: last).ahead == expected)
        }
        // What is nearly finished goes before all of these.
        let tail = try await test.copy(alice, files: 12, path: "/t", extra: ["queue": "t"]).id
        let others = ["a", "b", "c"]
        for queue in others { _ = try await test.engine.change(queue: queue, ofUser: alice.id, isPaused: true) }
        for handout in try await test.claim(worker, limit: 10) {
            for item in handout.items.indices { _ = try await test.report(handout, item: item) }
        }
        for queue in others { _ = try await test.engine.change(queue: queue, ofUser: alice.id, isPaused: false) }
        #expect(try await test.engine.explain(job: tail).ahead == 0)
        #expect(try await test.engine.explain(job: last).ahead == 5)
    }

    /// What nobody is given stands before nobody, however urgent it is: a paused queue's, and what is popped.
    @Test func whatIsNotHandedOut() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        for (queue, priority) in [("paused", 1), ("popped", 1), ("urgent", 1), ("urgent", 5), ("later", 8)] {
            _ = try await test.register(
                alice, path: "/x", priority: priority, extra: ["queue": .string(queue)])
        }
        let id = try await test.register(alice, path: "/y", priority: 5, extra: ["queue": "mine"]).id
        #expect(try await test.engine.explain(job: id).ahead == 4)
        _ = try await test.engine.change(queue: "paused", ofUser: alice.id, isPaused: true)
        #expect(try await test.engine.explain(job: id).ahead == 3)
        _ = try await test.engine.change(queue: "popped", ofUser: alice.id, isPopped: true)
        #expect(try await test.engine.explain(job: id).ahead == 2)
    }

    @Test func turns() async throws {
        let test = try await TestEngine()
        let (alice, bob) = (try await test.user("alice"), try await test.user("bob"))
        let worker = try await test.session()
        for n in 0..<3 { _ = try await test.register(bob, path: "/b\(n)", priority: 1) }
        _ = try await test.register(alice, path: "/first")
        let id = try await test.register(alice, path: "/second").id
        #expect(try await test.engine.explain(job: id).ahead == 4)
        #expect(try await test.engine.explain(element: 0, ofJob: id).ahead == 4)
        _ = try await test.claim(worker, limit: 5)
        let running = try await test.engine.explain(job: id)
        #expect(running.blockers.map(\.code) == [.running] && running.ahead == nil)
        let element = try await test.engine.explain(element: 0, ofJob: id)
        #expect(element.blockers.map(\.code) == [.running] && element.blockers[0].detail.contains("worker w"))
        _ = try await test.engine.cancel(job: id)
        #expect(try await test.codes(id) == [.cancelling])
        #expect(try await test.codes(id, element: 0) == [.cancelling])
    }

    /// Two at a time are both told.
    @Test func closed() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        _ = try await test.session()
        let id = try await test.register(alice).id
        _ = try await test.engine.change(queue: "default", ofUser: alice.id, isPaused: true)
        try await test.engine.setBan("tape robot on fire", site: 1)
        let both = try await test.engine.explain(job: id)
        #expect(both.blockers.map(\.code) == [.queuePaused, .siteBanned])
        #expect(both.blockers[1].detail.contains("tape robot on fire") && both.blockers[1].detail.contains("Site a "))
        #expect(try await test.codes(id, element: 0) == [.queuePaused, .siteBanned])
        try await test.engine.setBan(nil, site: 1)
        _ = try await test.engine.change(queue: "default", ofUser: alice.id, isPaused: false)
        #expect(try await test.codes(id) == [.waitsForTurn])
    }

    @Test func betweenTries() async throws {
        let test = try await TestEngine()
        let id = try await test.register(try await test.user("alice")).id
        _ = try await test.report(try #require(try await test.claim(try await test.session()).first), 1)
        for found in [try await test.engine.explain(job: id), try await test.engine.explain(element: 0, ofJob: id)] {
            #expect(found.blockers.map(\.code) == [.backoff])
            let due = try await test.engine.element(0, ofJob: id)?.notBefore
            #expect(due != nil && found.blockers.first?.until == due)
            #expect(found.blockers.first?.detail.contains("1 of 2 tries") == true)
        }
    }

    @Test func expansionsAndRemovals() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let lines = [
            ListingLine(directory: "/d", entry: ListingEntry(name: "s", kind: .directory)),
            ListingLine(directory: "/d/s", entry: ListingEntry(name: "f", kind: .file)),
        ]
        let id = try await test.listed(alice, .remove, lines).id
        #expect(try await test.codes(id) == [.expanding])
        _ = try await Expander(engine: test.engine).run()
        #expect(try await test.codes(id) == [.waitsForChildren, .waitsForTurn])
        #expect(try await test.codes(id, element: 2) == [.waitsForChildren])
        _ = try await test.engine.cancel(job: id)
        #expect(try await test.codes(id) == [.ended])
        #expect(try await test.codes(id, element: 2) == [.ended])
        await #expect(throws: EngineError.self) { _ = try await test.engine.explain(job: 99) }
        await #expect(throws: EngineError.self) { _ = try await test.engine.explain(element: 9, ofJob: id) }
    }

    @Test func retrying() async throws {
        let test = try await TestEngine { $0.dutyPiece = 5 }
        let alice = try await test.user("alice")
        let id = try await test.listed(alice, .copy, Self.files(30)).id
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(id)?.expansion == nil } }
        _ = try await test.engine.cancel(job: id)
        #expect(try await test.codes(id) == [.cancelling])
        try await test.withDuties { try await test.engine.job(id)?.status == .cancelled }
        _ = try await test.engine.retry(job: id, user: alice, key: nil)
        #expect(try await test.codes(id).first == .retrying)
    }

    /// A limit of a site each way, of a queue, of a user: how many are out, and of how many.
    @Test func limits() async throws {
        let sites = [
            Site(id: 1, name: "a", protocolName: .ssh, endpoints: [], limits: .init(out: 2)),
            Site(id: 2, name: "b", protocolName: .ssh, endpoints: [], limits: .init(into: 1)),
            Site(id: 3, name: "c", protocolName: .ssh, endpoints: []),
        ]
        let test = try await TestEngine(sites: sites) { $0.runningPerUser = 3 }
        let alice = try await test.user("alice")
        let copy = try await test.copy(alice, files: 3, extra: ["queue": "q", "src_siteid": 3]).id
        let worker = try await test.session()
        let first = try await test.claim(worker, limit: 9)
        #expect(first.map(\.items.count) == [1])
        let full = try await test.engine.explain(job: copy)
        #expect(full.blockers.map(\.code) == [.running, .siteLimit])
        #expect(full.blockers[0].detail == "1 element is with a worker.")
        #expect(full.blockers[1].detail.hasPrefix("Site b, in: 1 of 1 elements"), "\(full)")
        #expect(try await test.codes(copy, element: 3) == [.siteLimit])
        for n in 0..<3 { _ = try await test.register(alice, path: "/\(n)") }
        #expect(try await test.claim(worker, limit: 9).count == 2)
        let last = try await test.register(alice, path: "/last").id
        let both = try await test.engine.explain(job: last)
        #expect(both.blockers.map(\.code) == [.siteLimit, .userLimit])
        #expect(both.blockers[0].detail.hasPrefix("Site a, out: 2 of 2"), "\(both)")
        #expect(both.blockers[1].detail.hasPrefix("User alice: 3 of 3"), "\(both)")
        _ = try await test.report(first[0])
        _ = try await test.engine.change(queue: "default", ofUser: alice.id, limit: 2)
        let queue = try await test.engine.explain(element: 0, ofJob: last)
        #expect(queue.blockers.map(\.code) == [.siteLimit, .queueLimit])
        #expect(queue.blockers[1].detail.hasPrefix("Queue \"default\": 2 of 2"), "\(queue)")
    }

    /// A site that is down, and a route of which nobody knows which end it is: until when, and after what.
    @Test func down() async throws {
        let test = try await TestEngine { $0.breaker = BreakerPolicy(failures: 2, base: 60, maximum: 600) }
        let alice = try await test.user("alice")
        let copy = try await test.copy(alice, files: 9).id
        let worker = try await test.session()
        for handout in try await test.claim(worker, limit: 2) {
            for item in handout.items.indices { _ = try await test.report(handout, 1, item: item, as: .timeout) }
        }
        let found = try await test.engine.explain(job: copy)
        #expect(found.blockers.map(\.code) == [.siteDown, .backoff])
        #expect(
            found.blockers[0].detail.hasPrefix("From site a to b: 2 attempts in a row failed, the last with timeout"))
        let until = try #require(found.blockers[0].until)
        #expect((30...60).contains(until.seconds(since: test.engine.world.now())))
        let next = try await test.engine.explain(element: 5, ofJob: copy)
        #expect(next.blockers.map(\.code) == [.siteDown] && next.blockers[0].until == until)
    }

    /// An estimate says what it goes by, and is none where there is nothing to go by.
    @Test func estimates() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let job = try await test.copy(alice, files: 100)
        let worker = try await test.session()
        let other = try await test.register(alice, path: "/other").id
        // The LIST of the one job is all that ended here.
        #expect(try await test.engine.explain(job: other).estimate?.basis.contains("1 element of all jobs") == true)
        // Ten seconds for ten elements, three times.
        for _ in 0..<3 {
            test.advance(seconds: 10)
            for handout in try await test.claim(worker, limit: 10, types: [.copy]) {
                for item in handout.items.indices { _ = try await test.report(handout, item: item) }
            }
        }
        let now = test.engine.world.now()
        let found = try await test.engine.explain(job: job.id)
        let estimate = try #require(found.estimate)
        #expect(estimate.basis.hasPrefix("30 elements like its own that ended within 30 s"), "\(estimate)")
        #expect(estimate.starts == now && estimate.ends == now.adding(seconds: 70), "\(estimate)")
        let late = try #require(try await test.engine.explain(element: 100, ofJob: job.id).estimate)
        #expect(late.starts == now.adding(seconds: 69) && late.ends == now.adding(seconds: 70), "\(late)")
        // What somebody has to open has no time.
        _ = try await test.engine.change(queue: "default", ofUser: alice.id, isPaused: true)
        #expect(try await test.engine.explain(job: job.id).estimate == nil)
        _ = try await test.engine.change(queue: "default", ofUser: alice.id, isPaused: false)
        // One that runs goes by its own progress.
        let handout = try #require(try await test.claim(worker, types: [.copy]).first)
        #expect(try await test.engine.explain(element: handout.items[0].element.id, ofJob: job.id).estimate == nil)
        try await test.engine.progress(
            .init(transferred: 4, elapsed: 2, instant: 2, average: 2), job: job.id,
            element: handout.items[0].element.id, token: handout.items[0].token)
        let running = try await test.engine.explain(element: handout.items[0].element.id, ofJob: job.id).estimate
        #expect(running?.ends == now.adding(seconds: 3) && running?.basis.contains("4 of 10 bytes") == true)
        // Whatever a worker says of its time.
        try await test.engine.progress(
            .init(transferred: 4, elapsed: 1e300, instant: 2, average: 2), job: job.id,
            element: handout.items[0].element.id, token: handout.items[0].token)
        let endless = try await test.engine.explain(element: handout.items[0].element.id, ofJob: job.id).estimate
        #expect(endless?.basis.hasSuffix("in 1000000000 s") == true, "\(String(describing: endless))")
        // What ended long ago says nothing, and a server that has just started knows nothing.
        test.advance(seconds: 700)
        _ = try await test.session()
        #expect(try await test.engine.explain(job: other).estimate == nil)
        let next = try await TestEngine(in: test)
        #expect(try await next.engine.explain(job: other).estimate == nil)
    }

    /// What only waits between tries knows its time by itself.
    @Test func estimateOfABackoff() async throws {
        let test = try await TestEngine()
        let id = try await test.register(try await test.user("alice")).id
        _ = try await test.report(try #require(try await test.claim(try await test.session()).first), 1)
        let due = try await test.engine.element(0, ofJob: id)?.notBefore
        for found in [try await test.engine.explain(job: id), try await test.engine.explain(element: 0, ofJob: id)] {
            #expect(found.estimate?.starts == due && found.estimate?.ends == nil)
        }
    }
}
