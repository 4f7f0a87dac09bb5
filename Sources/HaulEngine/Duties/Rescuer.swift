import HaulModel
import HaulStore

/// Ends sessions whose time has come, and takes back what ended sessions held.
struct Rescuer: Duty {
    let engine: Engine
    let name = "rescue"
    let period = 1.0
    var bell: Bell { engine.rescueBell }

    func run() async throws -> Bool {
        let now = engine.world.now()
        let limit = engine.configuration.dutyPiece
        // First the sessions: from here on a late report finds its lease ended.
        let expired = try await engine.store.read { try $0.expiredSessions(now: now, limit: limit) }
        if !expired.isEmpty {
            try await engine.store.write { writer in
                for session in expired {
                    // A heartbeat may have come first.
                    guard let current = try writer.reader.session(session.id), !current.isLive(at: now) else {
                        continue
                    }
                    try writer.endSession(session.id, now: now)
                }
            }
        }
        let attempts = try await engine.store.read { reader -> [AttemptID] in
            guard let session = try reader.endedSessionsWithLeases(limit: 1).first else { return [] }
            return try reader.liveAttempts(ofSession: session, limit: limit)
        }
        try await engine.lose(
            attempts, because: "the lease ended without a report: the worker died or lost its way here")
        return !attempts.isEmpty || expired.count == limit
    }
}
