import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Each reason for which a job waits, provoked.
@Suite(.timeLimit(.minutes(1))) struct ExplanationTests {
    private func codes(_ test: TestEngine, _ job: Int) async throws -> [Explanation.Code] {
        try await test.engine.explain(job: job).blockers.map(\.code)
    }

    private func codes(_ test: TestEngine, _ job: Int, element: Int) async throws -> [Explanation.Code] {
        try await test.engine.explain(element: element, ofJob: job).blockers.map(\.code)
    }

    private static func files(_ count: Int) -> [ListingLine] {
        (0..<count).map { ListingLine(directory: "/d", entry: ListingEntry(name: "f\($0)", kind: .file)) }
    }

    /// From no worker at all to one that only has others before it.
    @Test func workers() async throws {
        let test = try await TestEngine()
        let id = try await test.register(try await test.user("alice")).id
        #expect(try await codes(test, id) == [.noWorker])
        #expect(try await codes(test, id, element: 0) == [.noWorker])
        _ = try await test.session("w", protocols: ["HTTP"])
        #expect(try await codes(test, id) == [.noWorkerForProtocol])
        _ = try await test.session("w", sites: [2])
        #expect(try await codes(test, id) == [.noWorkerForSite])
        _ = try await test.session("w", sites: [1, 2])
        #expect(try await codes(test, id) == [.waitsForTurn])
        _ = try await test.engine.setDrained(true, worker: "w")
        let drained = try await test.engine.explain(job: id)
        #expect(drained.blockers.map(\.code) == [.workersDrained] && drained.blockers[0].detail.contains("w."))
        _ = try await test.engine.setDrained(false, worker: "w")
        #expect(try await codes(test, id, element: 0) == [.waitsForTurn])
        test.advance(seconds: 61)
        try await test.withDuties { try await codes(test, id) == [.noWorker] }
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
        #expect(try await codes(test, id) == [.cancelling])
        #expect(try await codes(test, id, element: 0) == [.cancelling])
    }

    /// Two at a time are both told.
    @Test func closed() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        _ = try await test.session()
        let id = try await test.register(alice).id
        _ = try await test.engine.setPaused(true, queue: "default", ofUser: alice.id)
        try await test.engine.setBan("tape robot on fire", site: 1)
        let both = try await test.engine.explain(job: id)
        #expect(both.blockers.map(\.code) == [.queuePaused, .siteBanned])
        #expect(both.blockers[1].detail.contains("tape robot on fire") && both.blockers[1].detail.contains("Site a "))
        #expect(try await codes(test, id, element: 0) == [.queuePaused, .siteBanned])
        try await test.engine.setBan(nil, site: 1)
        _ = try await test.engine.setPaused(false, queue: "default", ofUser: alice.id)
        #expect(try await codes(test, id) == [.waitsForTurn])
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
        #expect(try await codes(test, id) == [.expanding])
        _ = try await Expander(engine: test.engine).run()
        #expect(try await codes(test, id) == [.waitsForChildren, .waitsForTurn])
        #expect(try await codes(test, id, element: 2) == [.waitsForChildren])
        _ = try await test.engine.cancel(job: id)
        #expect(try await codes(test, id) == [.ended])
        #expect(try await codes(test, id, element: 2) == [.ended])
        await #expect(throws: EngineError.self) { _ = try await test.engine.explain(job: 99) }
        await #expect(throws: EngineError.self) { _ = try await test.engine.explain(element: 9, ofJob: id) }
    }

    @Test func retrying() async throws {
        let test = try await TestEngine { $0.dutyPiece = 5 }
        let alice = try await test.user("alice")
        let id = try await test.listed(alice, .copy, Self.files(30)).id
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(id)?.expansion == nil } }
        _ = try await test.engine.cancel(job: id)
        #expect(try await codes(test, id) == [.cancelling])
        try await test.withDuties { try await test.engine.job(id)?.status == .cancelled }
        _ = try await test.engine.retry(job: id, user: alice, key: nil)
        #expect(try await codes(test, id).first == .retrying)
    }
}
