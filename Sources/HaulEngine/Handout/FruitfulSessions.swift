import Synchronization

/// Sessions whose last claim found something.
final class FruitfulSessions: Sendable {
    private let sessions = Mutex<Set<Int>>([])
    /// Beyond it all are forgotten: those that ended are not told apart.
    private static let limit = 10_000

    /// False for a claim without a session.
    func contains(_ session: Int?) -> Bool {
        guard let session else { return false }
        return sessions.withLock { $0.contains(session) }
    }

    func note(_ session: Int?, isFruitful: Bool) {
        guard let session else { return }
        sessions.withLock { sessions in
            guard isFruitful else {
                sessions.remove(session)
                return
            }
            if sessions.count >= Self.limit { sessions = [] }
            sessions.insert(session)
        }
    }
}
