import HaulModel
import HaulStore

/// Forgets what is of no use any more, in pieces: idempotency keys that are too old to count, sessions that ended, workers
/// that are gone, servers, tokens that ended, passwords that were wrong, old
/// lines of the record of changes, the order of REMOVE jobs that ended.
struct Pruner: Duty {
    let engine: Engine
    let name = "prune"
    let period = 60.0
    let bell = Bell()

    func run() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let now = engine.world.now()
        let keys = now.adding(seconds: -engine.configuration.idempotencySeconds)
        let sessions = now.adding(seconds: -engine.configuration.endedSessionSeconds)
        let workers = now.adding(seconds: -engine.configuration.unseenWorkerSeconds)
        let servers = now.adding(seconds: -engine.configuration.unseenServerSeconds)
        let deeds = engine.configuration.recordedSeconds.map { now.adding(seconds: -$0) }
        let logins = now.adding(seconds: -LoginDelay.memory)
        let launches = now.adding(seconds: -engine.configuration.endedLaunchSeconds)
        let removals = try await engine.store.read { try $0.endedRemovals(limit: limit) }
        return try await engine.store.write { writer in
            var hasMore = try writer.forgetAnswers(before: keys, limit: limit) == limit
            if try writer.forgetWorkers(unseenSince: workers, limit: limit) == limit { hasMore = true }
            if try writer.forgetServers(unseenSince: servers, limit: limit) == limit { hasMore = true }
            if try writer.forgetSessions(releasedBefore: sessions, limit: limit) == limit { hasMore = true }
            if try writer.forgetTokens(expiredBefore: sessions, limit: limit) == limit { hasMore = true }
            if let deeds, try writer.forgetDeeds(before: deeds, limit: limit) == limit { hasMore = true }
            if try writer.forgetLoginFailures(before: logins, limit: limit) == limit { hasMore = true }
            if try writer.forgetWatches(overBefore: now, limit: limit) == limit { hasMore = true }
            try writer.forgetLaunches(endedBefore: launches, limit: limit)
            var room = limit
            for job in removals where room > 0 {
                room -= 1
                // A retry may have come first.
                guard try writer.reader.isEndedRemoval(job) else { continue }
                if try writer.forgetKeptDirectories(ofJob: job, limit: limit) {
                    room = 0
                    hasMore = true
                } else {
                    // The depths go last: by them the job is found again.
                    try writer.forgetDepths(ofJob: job)
                }
            }
            return hasMore || removals.count == limit
        }
    }
}
