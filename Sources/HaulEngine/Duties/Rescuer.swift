import HaulModel
import HaulStore

/// Ends sessions whose time has come, and takes back what ended sessions held.
struct Rescuer: Duty {
    let engine: Engine
    let name = "rescue"
    let period = 1.0
    var bell: Bell { engine.rescueBell }

    func run() async throws -> Bool {
        // First the sessions: from here on a late report finds its lease ended.
        let hasExpired = try await endExpired()
        let ended = try await engine.store.read { [limit = engine.configuration.dutyPiece] reader in
            try reader.sessionsToRelease(limit: limit)
        }
        var failure: (any Error)?
        for session in ended {
            // What another server holds of one session keeps no other waiting.
            do { try await release(session) } catch { failure = error }
        }
        if let failure { throw failure }
        return hasExpired || !ended.isEmpty
    }

    private func endExpired() async throws -> Bool {
        let now = engine.world.now()
        let limit = engine.configuration.dutyPiece
        let expired = try await engine.store.read { try $0.expiredSessions(now: now, limit: limit) }
        guard !expired.isEmpty else { return false }
        try await engine.store.write { writer in
            for session in expired {
                // A heartbeat may have come first.
                guard let current = try writer.reader.session(session.id), !current.isLive(at: now) else { continue }
                try writer.endSession(session.id, now: now)
            }
        }
        return true
    }

    /// Takes back a piece of what a session held; a session that holds nothing any more is done with.
    private func release(_ session: Session) async throws {
        let limit = engine.configuration.dutyPiece
        let id = session.id
        let held = try await engine.store.read { try $0.liveAttempts(ofSession: id, limit: limit).map(\.id) }
        let why = session.revoked ?? "the worker died or lost its way here"
        try await engine.lose(held, because: "the lease ended without a report: \(why)")
        guard held.count < limit else { return }
        let now = engine.world.now()
        try await engine.store.write { writer in
            guard try writer.reader.liveAttempts(ofSession: id, limit: 1).isEmpty else { return }
            try writer.releaseSession(id, now: now)
        }
    }
}
