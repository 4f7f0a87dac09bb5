import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Queues that are removed, and what others do with them before all of it is gone.
@Suite(.timeLimit(.minutes(6))) struct QueueTests {
    private let alice = Requester(name: "alice", token: nil, address: "")

    private func make(_ test: TestEngine, _ user: User, _ name: String = "q") async throws {
        _ = try await test.engine.make(Queue(name: name, paused: nil, isPopped: true), ofUser: user.id)
    }

    /// Removes a queue as if the server died before the first of its jobs went.
    private func hide(_ test: TestEngine, _ user: User, _ name: String = "q") async throws {
        let now = test.engine.world.now()
        try await test.engine.store.write { writer in
            let known = try #require(try writer.reader.queue(name, ofUser: user.id))
            try writer.removeQueue(known.id, now: now)
        }
    }

    private func names(_ test: TestEngine, _ user: User) async throws -> [String] {
        try await test.engine.queues(ofUser: user.id).map(\.name)
    }

    /// What stays of a queue that is handed out by pop alone is nobody's while it goes.
    @Test func goingForNobody() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await make(test, user)
        var old: [Int] = []
        for _ in 0..<3 { old.append(try await test.register(user, extra: ["queue": "q"]).id) }
        try await hide(test, user)
        let worker = try await test.session()
        #expect(try await test.claim(worker, limit: 9).isEmpty)
        // One of its name is made by a job, which waits until the rest is gone.
        let new = try await test.register(user, extra: ["queue": "q"])
        #expect(try await names(test, user) == ["q"])
        #expect(try await test.claim(worker, limit: 9).isEmpty)
        #expect(try await test.engine.pop(queue: "q", ofUser: user.id, by: alice)?.job.id == new.id)
        _ = try await test.engine.revoke(job: new.id, by: alice)
        _ = try await PopRescuer(engine: test.engine).run()
        for id in old { #expect(try await test.engine.job(id) == nil) }
        #expect(try await test.claim(worker, limit: 9).map(\.job.id) == [new.id])
    }

    /// Nor is what was nearly done, which goes before all else otherwise.
    @Test func nearlyDone() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        let lines = (0..<8).map { ListingLine(directory: "/d", entry: ListingEntry(name: "f\($0)", kind: .file)) }
        let job = try await test.listed(user, .copy, lines)
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(job.id)?.expansion == nil } }
        let worker = try await test.session()
        for handout in try await test.claim(worker, limit: 7) {
            for item in handout.items.indices { _ = try await test.report(handout, item: item) }
        }
        #expect(try await test.elements(job).count { $0.phase == .ready } == 1)
        try await hide(test, user, "default")
        _ = try await test.register(user)
        let other = try await test.register(user, extra: ["queue": "other"])
        #expect(try await names(test, user) == ["default", "other"])
        #expect(try await test.claim(worker, limit: 9).map(\.job.id) == [other.id])
    }

    /// An old job does not get into what is being removed.
    @Test func intoWhatGoes() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        let (job, inside) = (try await test.register(user), try await test.register(user, extra: ["queue": "q"]))
        let document: [String: JSONValue] = ["src_siteid": 1, "src_filepath": "/d", "queue": "q"]
        let draft = try await test.engine.register(JobDraft(type: .mkdir, document: document), user: user)
        try await hide(test, user)
        for _ in 0..<2 {
            await #expect(throws: EngineError.self) {
                _ = try await test.engine.change(job: job.id, JobChange(["queue": "q"]))
            }
            await #expect(throws: EngineError.self) { _ = try await test.engine.commit(job: draft.id, user: .anybody) }
            // What is said of a job that goes does not bring its queue back.
            _ = try await test.engine.change(job: inside.id, JobChange(["label": "l"]))
            #expect(try await names(test, user) == ["default"])
        }
        #expect(try await test.engine.job(draft.id)?.stage == .uncommitted)
        _ = try await PopRescuer(engine: test.engine).run()
        #expect(try await test.engine.job(inside.id) == nil)
        #expect(try await test.engine.change(job: job.id, JobChange(["queue": "q"])).queue == "q")
        #expect(try await test.engine.commit(job: draft.id, user: .anybody).queue == "q")
        #expect(try await test.engine.jobs(JobFilter(userID: user.id), after: 0, limit: 9).count == 2)
    }

    /// Who adds to a queue, or changes it, that has to be there makes none.
    @Test func notMadeAgain() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        try await make(test, user)
        let request = try JobRequest(["task": "x", "queue": "q"], type: .task, rules: test.engine.rules)
        #expect(try await test.engine.register([request], user: user, makesQueues: false).count == 1)
        try await test.engine.remove(queue: "q", ofUser: user.id)
        await #expect(throws: EngineError.self) {
            _ = try await test.engine.register([request], user: user, makesQueues: false)
        }
        await #expect(throws: EngineError.self) {
            _ = try await test.engine.change(queue: "q", ofUser: user.id, isPaused: true, makes: false)
        }
        #expect(try await names(test, user).isEmpty)
    }

    /// Those that were removed and come back count as any other.
    @Test func limit() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        for number in 0..<100 { try await make(test, user, "old\(number)") }
        await #expect(throws: StoreError.self) { try await make(test, user, "more") }
        for number in 0..<50 { try await test.engine.remove(queue: "old\(number)", ofUser: user.id) }
        for number in 0..<50 { try await make(test, user, "new\(number)") }
        let job = try await test.register(user, extra: ["queue": "old99"])
        await #expect(throws: StoreError.self) { _ = try await test.register(user, extra: ["queue": "old1"]) }
        await #expect(throws: StoreError.self) {
            _ = try await test.engine.change(job: job.id, JobChange(["queue": "old1"]))
        }
        await #expect(throws: StoreError.self) { try await make(test, user, "old1") }
        #expect(try await names(test, user).count == 100)
        #expect(try await test.engine.jobs(JobFilter(userID: user.id), after: 0, limit: 9).count == 1)
    }

    /// How many there are at each stage is kept, whatever happens to them.
    @Test func stages() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        func stages(_ queue: String = "q") async throws -> [JobStage: Int] {
            let counted = try await test.engine.countedQueues(ofUser: user.id)
            return counted.first { $0.queue.name == queue }?.jobs.filter { $0.value > 0 } ?? [:]
        }
        var jobs: [Int] = []
        for _ in 0..<6 { jobs.append(try await test.register(user, extra: ["queue": "q"]).id) }
        #expect(try await stages() == [.waiting: 6])
        let worker = try await test.session()
        let held = try await test.claim(worker, limit: 3)
        #expect(try await stages() == [.waiting: 3, .executing: 3])
        _ = try await test.report(held[0], 0)
        _ = try await test.report(held[1], 1, as: .permission)
        #expect(try await stages() == [.waiting: 3, .executing: 1, .done: 1, .failed: 1])
        _ = try await test.engine.cancel(job: jobs[5])
        _ = try await test.engine.change(job: jobs[4], JobChange(["queue": "r"]))
        #expect(try await stages() == [.waiting: 1, .executing: 1, .done: 1, .failed: 1, .cancelled: 1])
        #expect(try await stages("r") == [.waiting: 1])
        _ = try await test.engine.retry(queue: "q", ofUser: user.id)
        #expect(try await stages() == [.waiting: 3, .executing: 1, .done: 1])
        let draft = try await test.engine.register(JobDraft(type: .mkdir, document: ["queue": "q"]), user: user)
        #expect(try await stages("default") == [.uncommitted: 1])
        _ = try await test.engine.commit(job: draft.id, user: .anybody)
        #expect(try await stages("default") == [.failed: 1], "it can't be run")
        _ = try await test.engine.destroy(job: held[0].job.id)
        #expect(try await stages()[.done] == nil)
        test.advance(seconds: 100 * 24 * 3600)
        _ = try await Retirer(engine: test.engine).run()
        #expect(try await stages("default").isEmpty)
        try await test.engine.remove(queue: "q", ofUser: user.id)
        try await make(test, user)
        #expect(try await stages().isEmpty)
    }

    /// What has very many elements is swept in pieces, after the answer.
    @Test func removedInPieces() async throws {
        let test = try await TestEngine()
        let user = try await test.user("alice")
        let lines = (0..<50).map { ListingLine(directory: "/d", entry: ListingEntry(name: "f\($0)", kind: .file)) }
        let job = try await test.listed(user, .copy, lines)
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(job.id)?.expansion == nil } }
        try await test.engine.remove(queue: "default", ofUser: user.id)
        #expect(try await test.engine.job(job.id) == nil)
        #expect(try await test.elements(job).count { $0.phase == .ready } == 50)
        try await test.withDuties {
            try await test.engine.store.read { try $0.elements(ofJob: job.id, status: nil, after: -1, limit: 99) }
                .allSatisfy { $0.phase.isEnded }
        }
    }

    /// Others' queues that go, however many, do not hide one's own.
    @Test func onesOwn() async throws {
        let test = try await TestEngine()
        let (alice, bob) = (try await test.user("alice"), try await test.user("bob"))
        for user in [bob, alice] {
            _ = try await test.register(user, extra: ["queue": "q"])
            try await hide(test, user)
        }
        let found = try await test.engine.store.read { reader in
            (
                try reader.doomedQueues(ofUser: bob.id, after: .start, limit: 1).map(\.userID),
                try reader.doomedQueues(ofUser: nil, after: .start, limit: 9).count
            )
        }
        #expect(found.0 == [bob.id] && found.1 == 2)
        #expect(try await PopRescuer(engine: test.engine).run())
        for user in [alice, bob] {
            #expect(try await test.engine.jobs(JobFilter(userID: user.id), after: 0, limit: 9).isEmpty)
        }
    }
}
