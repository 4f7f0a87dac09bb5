import Synchronization

/// How much of the spool is in use, in bytes; what would go past its bound is refused.
final class SpoolSpace: Sendable {
    let limit: Int
    private let used = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// - Throws: `spoolFull`.
    func reserve(_ bytes: Int) throws(LogError) {
        let fits = used.withLock { used in
            guard used + bytes <= limit else { return false }
            used += bytes
            return true
        }
        if !fits { throw .spoolFull }
    }

    /// Counts what takes up no room of its own yet: it will once its other name goes.
    func add(_ bytes: Int) { used.withLock { $0 += bytes } }

    func release(_ bytes: Int) { used.withLock { $0 = max(0, $0 - bytes) } }

    /// What was found on the disk, in the place of what was reckoned.
    func set(_ bytes: Int) { used.withLock { $0 = bytes } }
}
