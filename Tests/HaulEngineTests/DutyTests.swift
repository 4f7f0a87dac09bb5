import Foundation
import HaulModel
import Testing

@testable import HaulEngine
@testable import HaulStore

/// What a duty can't do keeps nothing else from being done, however much there is of it.
@Suite(.timeLimit(.minutes(5))) struct DutyTests {
    /// Elements, jobs, sessions that a duty takes at once: fewer than those that fail.
    private func engine() async throws -> TestEngine { try await TestEngine { $0.dutyPiece = 2 } }

    /// Makes jobs that nothing can be done with.
    private func spoil(_ test: TestEngine, _ jobs: ArraySlice<Int>) async throws {
        let ids = Array(jobs)
        try await test.engine.store.write { writer in
            for id in ids { try writer.db.run("UPDATE jobs SET protocol = '' WHERE id = $1", [.int(id)]) }
        }
    }

    private func status(_ test: TestEngine, _ job: Int) async throws -> Status? {
        try await test.engine.job(job)?.status
    }

    @Test func sessionsThatCannotBeReleased() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        var jobs: [Int] = []
        for number in 0..<4 {
            _ = try await test.register(alice, path: "/\(number)")
            jobs.append(try #require(try await test.claim(try await test.session("w\(number)")).first).job.id)
        }
        try await spoil(test, jobs.prefix(3))
        test.advance(seconds: 61)
        let rescuer = Rescuer(engine: test.engine)
        for _ in 0..<5 { _ = try? await rescuer.run() }
        #expect(try await test.engine.element(0, ofJob: jobs[3])?.attempts == 1)
        await #expect(throws: StoreError.self, "it is told of") { _ = try await rescuer.run() }
    }

    @Test func jobsThatCannotBeSwept() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        var jobs: [Int] = []
        for number in 0..<4 {
            jobs.append(try await test.copy(alice, files: 6, path: "/\(number)").id)
            _ = try await test.engine.cancel(job: jobs[number])
        }
        try await spoil(test, jobs.prefix(3))
        let sweeper = Sweeper(engine: test.engine)
        for _ in 0..<5 { _ = try? await sweeper.run() }
        #expect(try await status(test, jobs[3]) == .cancelled)
        await #expect(throws: StoreError.self, "it is told of") { _ = try await sweeper.run() }
    }

    @Test func deadlinesThatCannotBeMet() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        var jobs: [Int] = []
        for number in 0..<4 {
            jobs.append(try await test.register(alice, path: "/\(number)", extra: ["max_queue_time": 10]).id)
        }
        try await spoil(test, jobs.prefix(3))
        test.advance(seconds: 11)
        let sweeper = Sweeper(engine: test.engine)
        for _ in 0..<5 { _ = try? await sweeper.run() }
        #expect(try await status(test, jobs[3]) == .failed)
        await #expect(throws: StoreError.self, "it is told of") { _ = try await sweeper.run() }
    }

    @Test func jobsThatCannotBeRetired() async throws {
        let test = try await engine()
        let alice = try await test.user("alice")
        var jobs: [Job] = []
        while true {
            let job = try await test.register(alice)
            _ = try await test.report(try #require(try await test.claim(try await test.session()).first))
            jobs.append(job)
            if jobs.count < 3 { continue }
            // The folder of the last lies elsewhere.
            if job.logUID.prefix(2) != jobs[0].logUID.prefix(2) { break }
            test.advance(seconds: 1)
        }
        // Where folders are moved to there is a file that no rename replaces.
        let shard = "\(test.folder)/logs/\(jobs[0].logUID.prefix(2))"
        try FileManager.default.removeItem(atPath: shard)
        try "no folder".write(toFile: shard, atomically: true, encoding: .utf8)
        test.advance(seconds: 91 * 24 * 3600)
        let retirer = Retirer(engine: test.engine)
        for _ in 0..<5 { _ = try? await retirer.run() }
        let last = try #require(jobs.last?.id)
        let left = try await test.engine.store.read { try $0.forgottenJobs(limit: 99) }.map(\.id)
        #expect(left.count >= 3 && !left.contains(last), "\(left)")
        await #expect(throws: (any Error).self, "it is told of") { _ = try await retirer.run() }
    }
}
