import HaulModel
import HaulStore
import Synchronization
import Testing

@testable import HaulEngine

/// Those who stand by a job, and those who join it.
@Suite(.timeLimit(.minutes(5))) struct StandingTests {
    /// Whoever comes first looks, for all who heard no more than that.
    @Test func oneLookForAll() async throws {
        let looks = Looks()
        let begun = Begun()
        func look(_ heard: Int, within: Double = 60) -> Task<Engine.Standing?, any Error> {
            looks.look(at: 1, heard: heard, within: within) {
                begun.add()
                return Task { nil }
            }
        }
        try await looks.standing(by: 1) {
            for _ in 0..<200 { _ = look(3) }
            #expect(begun.count == 1)
            // What rang since is seen; what another heard later counts for those before.
            _ = (look(4), look(3), look(4))
            #expect(begun.count == 2)
            _ = look(4, within: 0)
            #expect(begun.count == 3 && looks.count == 1)
            #expect(looks.ahead(of: 1, within: 60) == nil)
            looks.keep(ahead: 7, of: 1, took: 0.008)
            #expect(looks.ahead(of: 1, within: 60) == 7 && looks.ahead(of: 1, within: 0) == nil)
            looks.keep(ahead: nil, of: 1, took: 8)
            #expect(looks.ahead(of: 1, within: 60) == nil)
        }
        #expect(looks.count == 0)
        #expect(abs(looks.cost - 0.001) < 1e-9, "what could not be told was not counted")
    }

    /// What is ahead is told four times a second and more, as long as that is cheap for all who wait together.
    @Test(arguments: [
        (1, 0.0, 0.1), (1, 0.009, 0.1), (64, 0.0002, 0.128), (100, 0.0002, 0.2), (100, 0.001, 1), (1000, 0.001, 3),
        (1, 1, 3),
    ])
    func aheadLasts(jobs: Int, cost: Double, seconds: Double) {
        #expect(abs(Engine.aheadLasts(jobs: jobs, cost: cost) - seconds) < 1e-9)
    }

    private final class Begun: Sendable {
        private let number = Atomic(0)
        var count: Int { number.load(ordering: .relaxed) }
        func add() { number.add(1, ordering: .relaxed) }
    }

    /// Each change is told as it comes, to all who stand by, and what is ahead is not counted for each of them.
    @Test func changesAreTold() async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"), .list)
        let told = Told()
        let visitors = (0..<20).map { number in
            Task { try await test.engine.stand(by: job.id) { told.keep($0?.job.stage, by: number) } }
        }
        try await test.until { told.all { $0.first == .waiting } }
        #expect(test.engine.looks.count == 1)
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker).first)
        try await test.until { told.all { $0.last == .executing } }
        _ = try await test.report(handout, listing: [ListingLine(directory: "/d", entry: nil)])
        for visitor in visitors { try await visitor.value }
        #expect(told.all { $0.first == .waiting && $0.last == .done })
        #expect(test.engine.looks.count == 0)
    }

    /// Who works on a job hears that somebody stands by it, at whichever server, and that nobody does any more.
    @Test func watched() async throws {
        let test = try await TestEngine()
        let other = try await TestEngine(in: test, server: 2)
        let job = try await test.register(try await test.user("alice"), .list)
        let worker = try await test.session()
        let item = try #require(try await test.claim(worker).first?.items.first)
        let progress = Attempt.Progress(transferred: 1, elapsed: 1, instant: 1, average: 1)
        @Sendable func tell() async throws -> Bool {
            try await test.engine.progress(progress, job: job.id, element: item.element.id, token: item.token)
        }
        #expect(try await !tell())
        let visitor = Task { try await other.engine.stand(by: job.id) { _ in } }
        try await test.until { try await tell() }
        visitor.cancel()
        _ = await visitor.result
        #expect(try await tell())
        test.advance(seconds: 16)
        #expect(try await !tell())
        _ = try await Pruner(engine: test.engine).run()
        #expect(
            try await test.engine.store.write { try $0.forgetWatches(overBefore: .init(milliseconds: .max), limit: 9) }
                == 0)
    }

    /// What a LIST lists is what it moves; of a job that begins with one it is none of the bytes.
    @Test(arguments: [JobType.list, .copy, .remove]) func listedBytes(type: JobType) async throws {
        let test = try await TestEngine()
        let job = try await test.register(try await test.user("alice"), type)
        let worker = try await test.session()
        let item = try #require(try await test.claim(worker, types: [type, .list]).first?.items.first)
        #expect(item.element.type == .list)
        let told = Attempt.Progress(transferred: 1000, elapsed: 2, instant: 400, average: 500)
        try await test.engine.progress(told, job: job.id, element: item.element.id, token: item.token)
        let nothing = Attempt.Progress(transferred: 0, elapsed: 2, instant: 0, average: 0)
        let kept = type == .list ? told : nothing
        #expect(try await test.engine.standing(ofJob: job.id)?.progress == kept)
        let report = Report(
            jobID: job.id, elementID: item.element.id, token: item.token, returnCode: 0, host: "h", log: [],
            listing: [ListingLine(directory: "/d", entry: nil)], transferred: 1000, sent: ["1"])
        #expect(try await test.engine.report([report]).count == 1)
        let last = try await test.engine.progress(ofElement: item.element.id, ofJob: job.id)
        #expect(last?.transferred == kept.transferred)
    }

    private final class Told: Sendable {
        private let stages = Mutex([[JobStage]](repeating: [], count: 20))

        func keep(_ stage: JobStage?, by visitor: Int) {
            guard let stage else { return }
            stages.withLock { $0[visitor].append(stage) }
        }

        func all(_ condition: ([JobStage]) -> Bool) -> Bool { stages.withLock { $0.allSatisfy(condition) } }
    }

    private func request(_ test: TestEngine, _ more: [String: JSONValue] = [:]) throws -> JobRequest {
        let document: [String: JSONValue] = ["src_siteid": 1, "src_filepath": "/d"]
        return try JobRequest(document.merging(more) { $1 }, type: .list, rules: test.engine.rules)
    }

    /// However a path is spelled it is the same; what waits elsewhere, or ends otherwise, is not.
    @Test func whatIsJoined() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let first = try await test.engine.join(try request(test), user: alice).job.id
        for path in ["/d/", "//d", "/./d", "/x/../d"] {
            let joined = try await test.engine.join(try request(test, ["src_filepath": .string(path)]), user: alice)
            #expect(joined.job.id == first && !joined.isNew, "\(path)")
        }
        let others: [[String: JSONValue]] = [
            ["queue": "other"], ["max_queue_time": 1], ["deadline": "2100-01-01T00:00:00Z"], ["execution_duration": 5],
            ["destruction": "2100-01-01T00:00:00Z"],
        ]
        for other in others {
            let joined = try await test.engine.join(try request(test, other), user: alice)
            #expect(joined.isNew && joined.job.id != first, "\(other)")
            #expect(try await !test.engine.join(try request(test, other), user: alice).isNew, "\(other)")
        }
        // Of a TASK the text is what it does.
        for isNew in [true, false] {
            for text in ["x", "y"] {
                let task = try JobRequest(["task": .string(text)], type: .task, rules: test.engine.rules)
                #expect(try await test.engine.join(task, user: alice).isNew == isNew, "\(text)")
            }
        }
    }

    /// What was registered otherwise is joined: what waits in the same queue and ends the same, else what is DONE; none that
    /// was forgotten.
    @Test func whatWasRegisteredOtherwise() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        /// The job's id; nil where it is a new one.
        func known(_ more: [String: JSONValue] = [:]) async throws -> Int? {
            let joined = try await test.engine.join(try request(test, more), user: alice)
            return joined.isNew ? nil : joined.job.id
        }
        let asked = try request(test)
        let plain = try #require(try await test.engine.register([asked], user: alice).first).id
        #expect(try await test.engine.joined(asked, user: alice)?.id == plain)
        #expect(try await test.engine.joined(asked, user: try await test.user("bob")) == nil)
        #expect(try await known() == plain)
        #expect(try await known(["queue": "other"]) == nil)
        let other = try #require(try await known(["queue": "other"]))
        // A draft is found once it is committed.
        var document: [String: JSONValue] = ["src_siteid": 1, "src_filepath": "/later/"]
        let draft = try await test.engine.register(JobDraft(type: .list, document: document), user: alice).id
        document["src_filepath"] = "/later"
        let later = try JobRequest(document, type: .list, rules: test.engine.rules)
        #expect(try await test.engine.joined(later, user: alice) == nil)
        _ = try await test.engine.commit(job: draft, user: .anybody)
        #expect(try await test.engine.join(later, user: alice).job.id == draft)
        // Of very many the newest are looked at, and in the end those that came since, whether they are alike or not.
        try await test.engine.store.ask { reader in
            for (newer, depth, found) in [
                (0, 9, [other, plain]), (0, 1, []), (plain, 9, [other]), (draft, 9, []), (draft + 5, 9, []),
            ] {
                let jobs = try reader.jobs(of: .list, at: 1, user: alice.id, newer: newer, depth: depth) {
                    $0.hasPrefix("/d")
                }
                #expect(jobs.found == found && jobs.newest == max(draft, newer))
            }
            let unlike = try JobRequest(
                ["src_siteid": 1, "src_filepath": "/nobody"], type: .list, rules: test.engine.rules)
            #expect(try Alike(unlike, alice, reader).newest == draft)
        }
        // What is DONE stands for it wherever it waited; the newest of them.
        let worker = try await test.session()
        for _ in 0..<3 {
            let handout = try #require(try await test.claim(worker).first)
            let directory = TransferPath.normalized(handout.job.source.path)
            _ = try await test.report(handout, listing: [ListingLine(directory: directory, entry: nil)])
        }
        #expect(try await test.engine.job(plain)?.stage == .done)
        #expect(try await known(["queue": "third"]) == max(plain, other))
        #expect(try await known() == plain, "it has been joined")
        for id in [plain, other] { try await test.engine.forgetJoined(job: id) }
        #expect(try await test.engine.joined(asked, user: alice) == nil)
        #expect(try await known() == nil)
        // A task is one of its queue's.
        let task = try JobRequest(["task": "x"], type: .task, rules: test.engine.rules)
        let made = try #require(try await test.engine.register([task], user: alice).first).id
        #expect(try await test.engine.join(task, user: alice).job.id == made)
        let elsewhere = try JobRequest(["task": "x", "queue": "t"], type: .task, rules: test.engine.rules)
        #expect(try await test.engine.join(elsewhere, user: alice).isNew)
    }

    /// One that is being cancelled is not joined, though it runs yet; nor one that was forgotten.
    @Test func whatIsNotJoined() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let request = try request(test)
        let first = try await test.engine.join(request, user: alice).job.id
        let worker = try await test.session()
        let handout = try #require(try await test.claim(worker).first)
        _ = try await test.engine.cancel(job: first)
        #expect(try await test.engine.job(first)?.stage == .executing)
        #expect(try await test.engine.joined(request, user: alice) == nil)
        let second = try await test.engine.join(request, user: alice)
        #expect(second.isNew && second.job.id != first)
        _ = try await test.report(handout, 1)
        try await test.engine.forgetJoined(job: second.job.id)
        #expect(try await test.engine.join(request, user: alice).isNew)
        // What goes with its queue is not joined, before it is told so.
        #expect(try await !test.engine.join(request, user: alice).isNew)
        try await test.engine.store.write { writer in
            let queue = try #require(try writer.reader.queue(request.queue, ofUser: alice.id))
            try writer.removeQueue(queue.id, now: test.engine.world.now())
        }
        #expect(try await test.engine.join(request, user: alice).isNew)
        #expect(try await !test.engine.join(request, user: alice).isNew)
    }
}
