import Dispatch
import Synchronization

/// A read-only connection, used by one at a time.
///
/// `@unchecked Sendable`: the connection is touched under `turn` alone.
final class ReadQueue: @unchecked Sendable {
    private let queue: DispatchQueue
    private let turn = Mutex(())
    private let isNear: Bool
    private let connection: any StoreConnection

    init(connection: any StoreConnection, number: Int) {
        self.connection = connection
        isNear = connection.isNear
        queue = DispatchQueue(label: "haul.store.read.\(number)")
    }

    /// - Parameter isOneStatement: it asks a single question. Where the database is in this process and the connection is
    ///   free, it is asked on the caller's own thread: to wake another one up costs more than the answer.
    func perform<T: Sendable>(
        isOneStatement: Bool, _ body: @escaping @Sendable (StoreReader) throws -> T
    ) async throws -> T {
        if isOneStatement, isNear, let outcome = performNow(body) { return try outcome.get() }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(with: turn.withLock { _ in inTransaction(isOneStatement, body) })
            }
        }
    }

    /// - Returns: nil where the connection is not free.
    private func performNow<T: Sendable>(
        _ body: @Sendable (StoreReader) throws -> T
    ) -> Result<T, any Error>? {
        turn.withLockIfAvailable { _ in inTransaction(true, body) }
    }

    private func inTransaction<T: Sendable>(
        _ isOneStatement: Bool, _ body: @Sendable (StoreReader) throws -> T
    ) -> Result<T, any Error> {
        Result {
            try connection.beginReading(isOneStatement: isOneStatement)
            // A read has nothing to keep: however it ends, the snapshot is let go.
            defer { try? connection.rollback() }
            return try body(StoreReader(db: connection))
        }
    }
}
