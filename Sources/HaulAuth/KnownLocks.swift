import HaulModel
import Synchronization

/// Locks that the database told of, so that guesses that come meanwhile cost it nothing: a bounded number of them.
final class KnownLocks: Sendable {
    private static let limit = 4096

    private let locks = Mutex<[[UInt8]: Timestamp]>([:])

    func note(_ hash: [UInt8], until: Timestamp, now: Timestamp) {
        locks.withLock { locks in
            if locks.count >= Self.limit {
                locks = locks.filter { $0.value > now }
                // The database knows them all.
                if locks.count >= Self.limit { locks = [:] }
            }
            locks[hash] = until
        }
    }

    /// Until when the longest of these lasts; nil where none is known.
    func until(_ hashes: [[UInt8]], now: Timestamp) -> Timestamp? {
        locks.withLock { locks in hashes.compactMap { locks[$0] }.filter { $0 > now }.max() }
    }
}
