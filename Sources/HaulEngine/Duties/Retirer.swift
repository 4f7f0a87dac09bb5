import HaulLogs
import HaulModel
import HaulStore

/// Removes jobs that ended long ago, with their logs, in pieces; so it does those that were never committed.
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
                try $0.forgetJobs(untouchedSince: before, now: now, limit: limit)
            }
        }
        return try await round(from: 0) { after in
            try await engine.store.read { try $0.forgottenJobs(after: after, limit: limit) }
        } place: {
            $0.id
        } work: { job in
            // The logs first: as long as a row says where they are, a crash loses nothing that is not found again.
            try await engine.logging { try await engine.logs.removeJob(job.logUID) }
            _ = try await engine.store.write(isLarge: true) { try $0.removeForgotten(job: job.id, limit: 10 * limit) }
        }
    }
}
