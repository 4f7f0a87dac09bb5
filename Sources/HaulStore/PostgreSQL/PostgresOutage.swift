import Dispatch
import Synchronization

/// What the connections to one database know together of its being away: while nobody gets through, one attempt in a
/// moment is enough for all of them; and as soon as one got through, all others may try, whatever they met before.
final class PostgresOutage: Sendable {
    /// Nanoseconds after a failed attempt in which no other is made: those who wait are told at once.
    private static let pause: UInt64 = 500_000_000

    private let failed = Mutex<(at: UInt64, error: StoreError)?>(nil)

    /// - Throws: why an attempt failed a moment ago.
    func check() throws(StoreError) {
        let latest = failed.withLock { $0 }
        if let latest, DispatchTime.now().uptimeNanoseconds - latest.at < Self.pause { throw latest.error }
    }

    func note(_ error: StoreError) { failed.withLock { $0 = (DispatchTime.now().uptimeNanoseconds, error) } }

    func isOver() { failed.withLock { $0 = nil } }
}
