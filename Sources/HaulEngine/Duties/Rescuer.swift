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
        let limit = engine.configuration.dutyPiece
        let hasReleased = try await round(from: 0) { after in
            try await engine.store.read { try $0.sessionsToRelease(after: after, limit: limit) }
        } place: {
            $0.id
        } work: {
            try await release($0)
        }
        return hasExpired || hasReleased
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
