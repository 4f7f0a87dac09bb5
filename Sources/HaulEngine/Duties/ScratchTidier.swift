import HaulLogs
import HaulModel
import HaulStore
import Synchronization

/// Drops what this server alone has of jobs that have ended, a part of it at a time: pieces of attempts that ended
/// elsewhere, what a REMOVE was sorted by. There is such where logs go to a bucket.
final class ScratchTidier: Duty {
    let engine: Engine
    let name = "tidy-scratch"
    let period = 600.0
    let bell = Bell()
    private let next = Atomic(0)

    init(engine: Engine) { self.engine = engine }

    func run() async throws -> Bool {
        let shard = next.load(ordering: .relaxed)
        for logUID in await engine.logs.scratchJobs(shard: shard) {
            guard try await engine.store.read({ try $0.isOver(logUID: logUID) }) else { continue }
            try await engine.logging { try await engine.logs.dropScratch(ofEndedJob: logUID) }
        }
        next.store((shard + 1) % LogStore.scratchShards, ordering: .relaxed)
        return shard + 1 < LogStore.scratchShards
    }
}
