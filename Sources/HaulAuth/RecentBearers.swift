import Synchronization

/// Who showed a good token within the last seconds, by its hash: a bounded number of them.
final class RecentBearers: Sendable {
    /// How long a revoked token may still have bodies read.
    private static let life = Duration.seconds(10)
    private static let limit = 4096

    private struct Entry {
        var principal: Principal
        var seen: ContinuousClock.Instant
    }

    private let entries = Mutex<[[UInt8]: Entry]>([:])

    /// Notes what the database said of a token; nil forgets it.
    func note(_ principal: Principal?, for hash: [UInt8]) {
        entries.withLock { entries in
            guard let principal else {
                entries[hash] = nil
                return
            }
            let now = ContinuousClock.now
            if entries.count >= Self.limit, entries[hash] == nil {
                entries = entries.filter { now - $0.value.seen < Self.life }
                // All of them recent: whoever is forgotten is asked about again.
                if entries.count >= Self.limit { entries = [:] }
            }
            entries[hash] = Entry(principal: principal, seen: now)
        }
    }

    /// The bearer, if the token was good lately.
    func principal(for hash: [UInt8]) -> Principal? {
        guard let entry = entries.withLock({ $0[hash] }), .now - entry.seen < Self.life else { return nil }
        return entry.principal
    }
}
