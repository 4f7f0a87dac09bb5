import Foundation
import HaulModel
import HaulStore
import Support
import Testing

@testable import HaulEngine

/// Jobs that are registered first and committed later.
@Suite(.timeLimit(.minutes(5))) struct DraftTests {
    private static let sound: [String: JSONValue] = [
        "type": "copy", "src_siteid": "a", "src_filepath": "/d", "dst_siteid": "2", "dst_filepath": "/e",
        "priority": "3", "label": "mine", "extra_opts": ["verify": "none", "depth": "2", "odd": "7"],
    ]

    private func draft(_ test: TestEngine, _ user: User, _ document: [String: JSONValue] = sound) async throws -> Job {
        try await test.engine.register(JobDraft(document: document), user: user)
    }

    private func commit(_ test: TestEngine, _ job: Job) async throws -> Job {
        try await test.engine.commit(job: job.id, user: .anybody)
    }

    @Test func waitsForItsCommit() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let job = try await draft(test, alice)
        #expect(job.status == .new && job.stage == .uncommitted && job.label == "mine" && job.type == .copy)
        let worker = try await test.session()
        #expect(try await test.claim(worker, limit: 9).isEmpty)
        #expect(try await test.codes(job.id) == [.uncommitted])
        #expect(try await test.elements(job).isEmpty)
        // What was given is kept, also what nobody knows.
        let changed = try await test.engine.changeParameters(
            ofJob: job.id, ["src_filepath": "/f", "priority": .null, "extra_opts": ["verify": .null, "new": "x"]])
        #expect(changed.parameters["src_filepath"] == "/f" && changed.parameters["priority"] == nil)
        #expect(changed.parameters["extra_opts"] == ["depth": "2", "odd": "7", "new": "x"])
        #expect(job.revision < (try await test.engine.job(job.id)?.revision ?? 0))
        test.advance(seconds: 5)
        let committed = try await commit(test, job)
        #expect(committed.id == job.id && committed.status == .submitted && committed.stage == .waiting)
        #expect(committed.source == Job.Place(siteID: 1, path: "/f") && committed.destination?.siteID == 2)
        #expect(committed.options == ["depth": 2, "odd": "7", "new": "x"] && committed.priority == 5)
        #expect(committed.label == "mine" && committed.registered == job.registered)
        let handout = try #require(try await test.claim(worker).first)
        #expect(handout.job.id == job.id)
        let begun = try #require(try await test.engine.job(job.id))
        #expect(begun.stage == .executing && begun.started == test.engine.world.now())
        for refused in [
            { _ = try await commit(test, job) },
            { _ = try await test.engine.changeParameters(ofJob: job.id, ["priority": 1]) },
        ] {
            let error = await #expect(throws: EngineError.self) { try await refused() }
            #expect(error?.kind == .conflict && error?.code == "job_committed")
        }
    }

    /// What can't be run has failed at once, and says why; nothing of it is ever handed out.
    @Test func thatCantBeRun() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let documents: [[String: JSONValue]] = [
            [:], ["type": "nonsense"], ["type": "remove", "src_siteid": 99, "src_filepath": "/d"],
            ["type": "copy", "src_siteid": 1],
            ["type": "mkdir", "src_siteid": 1, "src_filepath": "/d", "priority": "x"],
            ["type": "list", "src_siteid": [1], "src_filepath": ["a": 1], "extra_opts": 3],
            ["type": "list", "src_siteid": 1, "src_filepath": "/d", "extra_opts": ["depth": "deep"]],
            ["type": "list", "src_siteid": 1, "src_filepath": "/d\u{0}"], ["type": "list", "label": .string("\u{0}")],
        ]
        for document in documents {
            let job = try await draft(test, alice, document)
            let refused = try await commit(test, job)
            #expect(refused.status == .failed && refused.ended != nil && refused.started == nil, "\(document)")
            let element = try #require(try await test.elements(job).first)
            #expect(element.phase == .failed && element.errorClass == .invalid && element.reason?.isEmpty == false)
            let error = await #expect(throws: EngineError.self) {
                _ = try await test.engine.retry(job: job.id, user: alice, key: nil)
            }
            #expect(error?.code == "job_never_ran")
            #expect(try await test.engine.change(job: job.id, JobChange(["label": "bad"])).label == "bad")
        }
        #expect(try await test.engine.job(1)?.parameters == [:])
        let worker = try await test.session()
        #expect(try await test.claim(worker, limit: 9).isEmpty)
        // A queue that would be one too many is no fault of ours.
        _ = try await test.engine.store.write { writer in
            for number in 0..<99 { try writer.setPaused(nil, queue: "q\(number)", ofUser: alice.id) }
        }
        let job = try await draft(test, alice, Self.sound.merging(["queue": "more"]) { $1 })
        #expect(try await commit(test, job).status == .failed)
    }

    @Test func cancelledAndDestroyed() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let job = try await draft(test, alice)
        for change in ["priority": 1, "queue": "q", "deadline": "2030-01-01"] as [String: JSONValue] {
            await #expect(throws: EngineError.self) {
                _ = try await test.engine.change(job: job.id, JobChange([change.key: change.value]))
            }
        }
        let changed = try await test.engine.change(
            job: job.id, JobChange(["execution_duration": 60, "destruction": "2030-01-01", "keep": true]))
        #expect(changed.executionSeconds == 60 && changed.destruction != nil && changed.isKept)
        #expect(try await test.engine.cancel(job: job.id).status == .cancelled)
        await #expect(throws: EngineError.self) { _ = try await commit(test, job) }
        await #expect(throws: EngineError.self) {
            _ = try await test.engine.retry(job: job.id, user: alice, key: nil)
        }
        let other = try await draft(test, alice)
        _ = try await test.engine.destroy(job: other.id)
        #expect(try await test.engine.job(other.id) == nil)
        await #expect(throws: EngineError.self) { _ = try await commit(test, other) }
        try await test.withDuties { try await test.engine.store.read { try $0.forgottenJobs(limit: 9) }.isEmpty }
    }

    /// A user's jobs that are not committed are counted, and bounded; so are their parameters.
    @Test func bounded() async throws {
        let test = try await TestEngine { $0.draftsPerUser = 3 }
        let (alice, bob) = (try await test.user("alice"), try await test.user("bob"))
        let jobs = [try await draft(test, alice), try await draft(test, alice), try await draft(test, alice)]
        let error = await #expect(throws: EngineError.self) { _ = try await draft(test, alice) }
        #expect(error?.kind == .overLimit)
        _ = try await draft(test, bob)
        _ = try await commit(test, jobs[1])
        let next = try await draft(test, alice)
        let long = String(repeating: "x", count: 70_000)
        let tooLong = await #expect(throws: EngineError.self) {
            _ = try await test.engine.changeParameters(ofJob: next.id, ["src_filepath": .string(long)])
        }
        #expect(tooLong?.kind == .invalid)
        #expect(try await test.engine.job(next.id)?.parameters["src_filepath"] == "/d")
        // What was refused, or cancelled before, is kept and counts.
        _ = try await test.engine.cancel(job: next.id)
        _ = try await test.engine.changeParameters(ofJob: jobs[0].id, ["src_siteid": 99])
        #expect(try await commit(test, jobs[0]).status == .failed)
        await #expect(throws: EngineError.self) { _ = try await draft(test, alice) }
        // What its user removed has no place any more, also where it is still on its way.
        _ = try await test.engine.destroy(job: next.id)
        _ = try await draft(test, alice)
    }

    /// What is asked for in seconds of waiting counts from the commit: before that it waits for its user.
    @Test func waitsFromItsCommit() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let job = try await draft(
            test, alice, Self.sound.merging(["max_queue_time": 60]) { $1 })
        test.advance(seconds: 100)
        let committed = try await commit(test, job)
        #expect(committed.deadline == test.engine.world.now().adding(seconds: 60))
        #expect(committed.registered == job.registered)
    }

    /// Ids grow with time but for a little: none is passed over that was registered later.
    @Test func registeredAfter() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let bob = try await test.user("bob")
        var all: [Job] = []
        for round in 0..<40 {
            // A server's clock may be behind another's.
            test.advance(seconds: round % 5 == 4 ? -300 : 400)
            all.append(try await draft(test, round % 3 == 0 ? bob : alice))
        }
        for user in [alice.id, bob.id, nil] {
            for time in all.map(\.registered) + [Timestamp(milliseconds: 0)] {
                var filter = JobFilter(userID: user)
                filter.registeredAfter = time
                let wanted = all.filter { $0.registered > time && (user == nil || $0.userID == user) }.map(\.id)
                let found = try await test.engine.jobs(filter, after: 0, limit: 100).map(\.id)
                let newest = try await test.engine.jobs(filter, after: .max, limit: 100, newestFirst: true).map(\.id)
                #expect(found == wanted && newest == wanted.reversed(), "\(time)")
            }
        }
    }

    /// The same key gets the same job; made and committed at once it is one transaction.
    @Test func atOnce() async throws {
        let test = try await TestEngine { $0.limits.usual.waiting = 1 }
        let alice = try await test.user("alice")
        let key = IdempotencyKey(key: "k", request: [1])
        let jobs = try await [1, 2].asyncMap { _ in
            try await test.engine.register(
                JobDraft(type: .mkdir, document: Self.sound), user: alice, committedAs: .anybody, key: key)
        }
        #expect(jobs[0].id == jobs[1].id && jobs[1].status == .submitted && jobs[1].type == .mkdir)
        await #expect(throws: EngineError.self) {
            _ = try await test.engine.register(
                JobDraft(type: .mkdir, document: Self.sound), user: alice, committedAs: .anybody)
        }
        #expect(try await test.engine.jobs(JobFilter(), after: 0, limit: 9).count == 1, "nothing is left of it")
        // What waits is not committed, and stays as it is.
        let waiting = try await draft(test, alice)
        await #expect(throws: EngineError.self) { _ = try await commit(test, waiting) }
        #expect(try await test.engine.job(waiting.id)?.status == .new)
        let next = try await TestEngine(in: test)
        #expect(try await commit(next, waiting).status == .submitted, "another server's")
    }

    /// Lists by stage, by time, the newest first.
    @Test func lists() async throws {
        let test = try await TestEngine()
        let (alice, bob) = (try await test.user("alice"), try await test.user("bob"))
        let worker = try await test.session()
        var jobs: [JobStage: Int] = [:]
        let start = test.engine.world.now()
        jobs[.done] = try await test.register(alice).id
        _ = try await test.report(try #require(try await test.claim(worker).first))
        jobs[.failed] = try await test.register(alice).id
        _ = try await test.report(try #require(try await test.claim(worker).first), 1, as: .permission)
        jobs[.executing] = try await test.register(alice).id
        _ = try await test.claim(worker)
        // Between two tries it goes on.
        let between = try await test.register(alice).id
        _ = try await test.report(try #require(try await test.claim(worker).first), 1, as: .connect)
        test.advance(seconds: 1)
        jobs[.waiting] = try await test.register(alice).id
        jobs[.cancelled] = try await test.register(alice).id
        _ = try await test.engine.cancel(job: jobs[.cancelled] ?? 0)
        jobs[.uncommitted] = try await draft(test, alice).id
        _ = try await draft(test, bob)
        func ids(_ filter: JobFilter, after: Int = 0, newestFirst: Bool = false, limit: Int = 99) async throws -> [Int]
        {
            try await test.engine.jobs(filter, after: after, limit: limit, newestFirst: newestFirst).map(\.id)
        }
        let mine = JobFilter(userID: alice.id)
        for stage in JobStage.allCases {
            var filter = mine
            filter.stages = [stage]
            let wanted = [jobs[stage] ?? 0] + (stage == .executing ? [between] : [])
            #expect(try await ids(filter) == wanted, "\(stage)")
            #expect(try await ids(filter, after: Int.max, newestFirst: true) == wanted.reversed(), "\(stage)")
        }
        var filter = mine
        filter.stages = Set(JobStage.allCases)
        let all = try await ids(mine)
        #expect(try await ids(filter) == all && all.count == 7)
        #expect(try await ids(filter, after: all[2], limit: 2) == Array(all[3...4]))
        #expect(try await ids(filter, after: all[3], newestFirst: true, limit: 2) == [all[2], all[1]])
        filter.stages = []
        #expect(try await ids(filter).isEmpty)
        filter.stages = nil
        filter.registeredAfter = start
        #expect(try await ids(filter) == all.suffix(3))
        filter.type = .copy
        #expect(try await ids(filter) == [jobs[.uncommitted]])
        let nameless = try await draft(test, alice, ["src_siteid": 1])
        filter.type = .list
        #expect(try await ids(filter).isEmpty, "it has no type yet")
        #expect(try await ids(mine).last == nameless.id)
    }
}
