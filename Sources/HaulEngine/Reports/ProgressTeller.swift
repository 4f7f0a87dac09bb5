import HaulStore
import Synchronization

/// Tells those who watch jobs that bytes moved, on this server and on the others of its database: of all that was reported
/// since the last time together. A flood of reports costs a notification a second, and each watcher an event.
struct ProgressTeller: Duty {
    let engine: Engine
    let name = "tell-progress"
    let period = 1.0
    let bell = Bell()

    func run() async throws -> Bool {
        let jobs = engine.moved.withLock { moved in
            defer { moved = [] }
            return moved
        }
        guard !jobs.isEmpty else { return false }
        do {
            // What moved is on disk already.
            try await engine.write(waking: StoreChange(jobs: jobs)) { _ in }
        } catch {
            engine.moved.withLock { $0.formUnion(jobs) }
            throw error
        }
        return false
    }
}
