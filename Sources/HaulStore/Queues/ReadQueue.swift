import Dispatch

/// A read-only connection with the queue that it is confined to.
///
/// `@unchecked Sendable`: the connection is touched on `queue` alone.
final class ReadQueue: @unchecked Sendable {
    private let queue: DispatchQueue
    private let connection: any StoreConnection

    init(connection: any StoreConnection, number: Int) {
        self.connection = connection
        queue = DispatchQueue(label: "haul.store.read.\(number)")
    }

    func perform<T: Sendable>(
        isOneStatement: Bool, _ body: @escaping @Sendable (StoreReader) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                continuation.resume(with: Result { try inTransaction(isOneStatement, body) })
            }
        }
    }

    private func inTransaction<T>(_ isOneStatement: Bool, _ body: (StoreReader) throws -> T) throws -> T {
        try connection.beginReading(isOneStatement: isOneStatement)
        // A read has nothing to keep: however it ends, the snapshot is let go.
        defer { try? connection.rollback() }
        return try body(StoreReader(db: connection))
    }
}
