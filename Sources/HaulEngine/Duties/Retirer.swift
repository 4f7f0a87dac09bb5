import HaulLogs
import HaulModel
import HaulStore

/// Removes jobs that ended long ago, with their logs, in pieces.
struct Retirer: Duty {
    let engine: Engine
    let name = "retire"
    let period = 60.0
    let bell = Bell()

    func run() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let now = engine.world.now()
        if let seconds = engine.configuration.keptSeconds {
            let before = now.adding(seconds: -seconds)
            _ = try await engine.store.write(isLarge: true) {
                try $0.forgetJobs(endedBefore: before, now: now, limit: limit)
            }
        }
        let jobs = try await engine.store.read { try $0.forgottenJobs(limit: limit) }
        var failure: (any Error)?
        for job in jobs {
            // The logs first: as long as a row says where they are, a crash loses nothing that is not found again.
            do {
                try await engine.logging { try await engine.logs.removeJob(job.logUID) }
            } catch {
                // One that can't be removed keeps no other.
                failure = error
                continue
            }
            _ = try await engine.store.write(isLarge: true) { try $0.removeForgotten(job: job.id, limit: 10 * limit) }
        }
        if let failure { throw failure }
        return !jobs.isEmpty
    }
}
