import Foundation
import HaulModel
import HaulStore
import Testing

@testable import HaulEngine

/// Ended jobs go after their time, with all that belongs to them, and nothing else does.
@Suite(.timeLimit(.minutes(5))) struct RetentionTests {
    private let days = 24.0 * 3600

    private func ended(_ test: TestEngine, _ user: User, _ path: String) async throws -> Job {
        let job = try await test.register(user, path: path)
        let worker = try await test.session(path)
        let handout = try #require(try await test.claim(worker, limit: 100).first { $0.job.id == job.id })
        _ = try await test.report(handout)
        return job
    }

    private func folder(_ test: TestEngine, _ job: Job) -> String {
        "\(test.folder)/logs/\(job.logUID.prefix(2))/\(job.logUID)"
    }

    /// The rows of a job in every table that has some.
    private func rows(_ test: TestEngine, _ job: Int) async throws -> Int {
        try await test.engine.store.read { reader in
            try reader.elements(ofJob: job, status: nil, after: -1, limit: 100_000).count
                + reader.endedAttempts(ofJob: job, latestOnly: false, after: (-1, 0), limit: 100_000).count
        }
    }

    @Test func ofEndedJobs() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let old = try await ended(test, alice, "/old")
        let kept = try await ended(test, alice, "/kept")
        #expect(try await test.engine.change(job: kept.id, JobChange(["keep": true])).isKept)
        let open = try await test.register(alice, path: "/open")
        test.advance(seconds: 89 * days)
        let young = try await ended(test, alice, "/young")
        _ = try await Retirer(engine: test.engine).run()
        #expect(try await test.engine.job(old.id) != nil, "its time is not over")
        test.advance(seconds: 2 * days)
        try await test.withDuties {
            let isHidden = try await test.engine.job(old.id) == nil
            let isGone = try await test.engine.store.read { try $0.forgottenJobs(limit: 9) }.isEmpty
            return isHidden && isGone
        }
        #expect(try await rows(test, old.id) == 0 && !FileManager.default.fileExists(atPath: folder(test, old)))
        for job in [kept, open, young] { #expect(try await test.engine.job(job.id) != nil, "\(job.source.path)") }
        #expect(FileManager.default.fileExists(atPath: folder(test, kept)))
        #expect(try await test.engine.jobs(JobFilter(), after: 0, limit: 10).map(\.id) == [kept.id, open.id, young.id])
        // Let go, it follows.
        #expect(try await test.engine.change(job: kept.id, JobChange(["keep": false])).isKept == false)
        test.advance(seconds: 91 * days)
        try await test.withDuties { try await test.engine.job(kept.id) == nil }
        #expect(try await test.engine.job(open.id) != nil)
    }

    /// What was never committed, or refused, goes once nobody has touched it for as long; not what is kept.
    @Test func ofDrafts() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        func draft() async throws -> Job { try await test.engine.register(JobDraft(document: [:]), user: alice) }
        let (old, kept, touched, refused) = (try await draft(), try await draft(), try await draft(), try await draft())
        _ = try await test.engine.change(job: kept.id, JobChange(["keep": true]))
        #expect(try await test.engine.commit(job: refused.id, user: .anybody).status == .failed)
        test.advance(seconds: 89 * days)
        _ = try await test.engine.changeParameters(ofJob: touched.id, ["priority": 1])
        _ = try await Retirer(engine: test.engine).run()
        #expect(try await test.engine.job(old.id) != nil, "its time is not over")
        test.advance(seconds: 2 * days)
        try await test.withDuties {
            let left = try await test.engine.jobs(JobFilter(), after: 0, limit: 10).map(\.id)
            let isGone = try await test.engine.store.read { try $0.forgottenJobs(limit: 9) }.isEmpty
            return left == [kept.id, touched.id] && isGone
        }
        #expect(try await test.engine.countedQueues(ofUser: alice.id).map { $0.jobs[.uncommitted] } == [2])
    }

    /// A job of thousands goes in pieces; hidden at once, also over a crash between two of them.
    @Test func inPieces() async throws {
        let test = try await TestEngine { $0.dutyPiece = 10 }
        let alice = try await test.user("alice")
        let lines = (0..<500).map { ListingLine(directory: "/d", entry: ListingEntry(name: "f\($0)", kind: .file)) }
        let job = try await test.listed(alice, .remove, lines)
        try await test.withDuties { try await test.engine.store.read { try $0.jobState(job.id)?.expansion == nil } }
        _ = try await test.engine.cancel(job: job.id)
        try await test.withDuties { try await test.engine.job(job.id)?.status == .cancelled }
        test.advance(seconds: 91 * days)
        _ = try await Retirer(engine: test.engine).run()
        #expect(try await test.engine.job(job.id) == nil)
        let left = try await rows(test, job.id)
        #expect(left > 0 && left < 501, "\(left)")
        await #expect(throws: EngineError.self) { _ = try await test.engine.retry(job: job.id, user: alice, key: nil) }
        let next = try await TestEngine(in: test) { $0.dutyPiece = 10 }
        try await next.withDuties { try await next.engine.store.read { try $0.forgottenJobs(limit: 9) }.isEmpty }
        #expect(try await rows(next, job.id) == 0)
    }

    /// A folder that can't be removed keeps no other job, and is told of.
    @Test func oneThatStays() async throws {
        let test = try await TestEngine()
        let alice = try await test.user("alice")
        let first = try await ended(test, alice, "/first")
        var second = try await ended(test, alice, "/second")
        while second.logUID.prefix(2) == first.logUID.prefix(2) {
            // It goes with the second.
            test.advance(seconds: 1)
            second = try await ended(test, alice, "/next")
        }
        // Where its folder is moved to there is a file that no rename replaces.
        let shard = "\(test.folder)/logs/\(first.logUID.prefix(2))"
        try FileManager.default.removeItem(atPath: shard)
        try "no folder".write(toFile: shard, atomically: true, encoding: .utf8)
        test.advance(seconds: 91 * days)
        #expect(try await Retirer(engine: test.engine).run())
        await #expect(throws: (any Error).self) { _ = try await Retirer(engine: test.engine).run() }
        for job in [first, second] { #expect(try await test.engine.job(job.id) == nil) }
        #expect(try await rows(test, second.id) == 0)
        #expect(try await test.engine.store.read { try $0.forgottenJobs(limit: 9) }.contains { $0.id == first.id })
    }

    @Test func never() async throws {
        let test = try await TestEngine { $0.keptSeconds = nil }
        let old = try await ended(test, try await test.user("alice"), "/old")
        test.advance(seconds: 5000 * days)
        _ = try await Retirer(engine: test.engine).run()
        #expect(try await test.engine.job(old.id) != nil)
    }
}
