import HaulModel
import Testing

@testable import HaulStore

/// What a writer remembers of queues and lanes is what is on disk: not what was taken back.
@Suite(.timeLimit(.minutes(5))) struct WriterMemoryTests {
    private struct Refused: Error {}

    /// Registers a job of the queue "nights", and perhaps takes it back.
    private func register(_ store: Store, _ user: Int, throwing error: (any Error & Sendable)? = nil) async throws
        -> Job
    {
        try await store.write { writer in
            var job = TemporaryStore.job(user: user)
            job.queue = "nights"
            let made = try #require(try writer.insertJobs([job], first: TemporaryStore.firstElement).first)
            if let error { throw error }
            return made
        }
    }

    private func user(_ store: Store) async throws -> Int {
        try await store.write { try $0.user(named: "alice", now: TemporaryStore.now).id }
    }

    @Test func alone() async throws {
        let store = try await TemporaryStore().store
        let user = try await user(store)
        await #expect(throws: Refused.self) { _ = try await register(store, user, throwing: Refused()) }
        let job = try await register(store, user)
        #expect(try await store.read { try $0.job(job.id)?.queue } == "nights")
        #expect(try await store.read { try $0.lane(ofJob: job.id)?.ready } == 1)
    }

    /// Neighbours in one commit, each in its savepoint: those that are kept share a lane, whoever was taken back before.
    @Test func together() async throws {
        let store = try await TemporaryStore().store
        let user = try await user(store)
        for _ in 0..<20 {
            try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    group.addTask {
                        do {
                            _ = try await register(store, user, throwing: number % 3 == 0 ? Refused() : nil)
                            #expect(number % 3 != 0)
                        } catch is Refused {}
                    }
                }
                try await group.waitForAll()
            }
        }
        let jobs = try await store.read { try $0.jobs(JobFilter(userID: user), after: 0, limit: 1000) }
        #expect(jobs.count == 20 * 13 && jobs.allSatisfy { $0.queue == "nights" })
        let first = try #require(jobs.first)
        #expect(try await store.read { try $0.lane(ofJob: first.id)?.ready } == jobs.count)
    }

    /// A statement that fails ends the transaction that it stands in.
    @Test func afterAConstraint() async throws {
        let store = try await TemporaryStore().store
        let user = try await user(store)
        await #expect(throws: StoreError.self) {
            try await store.write { writer in
                var job = TemporaryStore.job(user: user)
                job.queue = "nights"
                _ = try writer.insertJobs([job], first: TemporaryStore.firstElement)
                // The name of its log folder a second time.
                _ = try writer.insertJobs([job], first: TemporaryStore.firstElement)
            }
        }
        let job = try await register(store, user)
        #expect(try await store.read { try $0.job(job.id)?.queue } == "nights")
    }
}
