import Dispatch
import Synchronization

/// The one connection that writes, and the group commit over it.
///
/// `@unchecked Sendable`: the connection is touched on `queue` alone.
final class WriteQueue: @unchecked Sendable {
    /// Bodies in one commit. Bounds how long a caller waits for its neighbours.
    private static let groupLimit = 512

    private let queue = DispatchQueue(label: "haul.store.write", qos: .userInitiated)
    private let connection: any StoreConnection
    /// What it throws once a group is on disk is what the group's callers hear; nil but in tests.
    private let committed: (@Sendable () throws -> Void)?
    private let onFsyncFailure: @Sendable (String) -> Void
    private let onLostAnswer: @Sendable () -> Void
    private let waiting = Mutex<[any PendingWrite]>([])

    /// - Parameters:
    ///   - onFsyncFailure: told the cause when a commit could not be synced.
    ///   - onLostAnswer: told when it can't be known whether a commit is on disk.
    init(
        connection: any StoreConnection, committed: (@Sendable () throws -> Void)? = nil,
        onFsyncFailure: @escaping @Sendable (String) -> Void, onLostAnswer: @escaping @Sendable () -> Void
    ) {
        self.connection = connection
        self.committed = committed
        self.onFsyncFailure = onFsyncFailure
        self.onLostAnswer = onLostAnswer
    }

    /// Writes that the next groups will be made of, for a test of groups.
    var waitingCount: Int { waiting.withLock { $0.count } }

    /// - Parameter isLarge: it changes hundreds of rows: it gets a commit of its own.
    func perform<T: Sendable>(
        isLarge: Bool, _ body: @escaping @Sendable (StoreWriter) throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let write = Write(isLarge: isLarge, body: body, continuation: continuation)
            let isFirst = waiting.withLock { writes in
                writes.append(write)
                return writes.count == 1
            }
            if isFirst { queue.async { self.commitGroup() } }
        }
    }

    /// Runs all that waits in one transaction, up to what is large. What arrives meanwhile makes the next group.
    private func commitGroup() {
        let (group, more) = waiting.withLock { writes in
            let small = writes.prefix(Self.groupLimit).prefix { !$0.isLarge }
            let group = small.isEmpty ? Array(writes.prefix(1)) : Array(small)
            writes.removeFirst(group.count)
            return (group, !writes.isEmpty)
        }
        if more { queue.async { self.commitGroup() } }
        guard let first = group.first else { return }
        do {
            try connection.beginWriting()
            var change = StoreChange()
            if group.count == 1 {
                // Alone it needs no savepoint. SQLite keeps every page that a savepoint changes, and walks all of them at
                // the end of each statement: 50,000 rows in one took half of the time.
                change.add(try first.run(connection))
            } else {
                for write in group { change.add(try runInSavepoint(write)) }
            }
            try connection.commit(telling: change)
            try committed?()
        } catch {
            try? connection.rollback()
            if case StoreError.fsyncFailed(let cause) = error { onFsyncFailure(cause) }
            if case StoreError.unavailable = error { onLostAnswer() }
            for write in group { write.fail(error) }
            return
        }
        for write in group { write.finish() }
    }

    /// - Returns: what others are told of it.
    /// - Throws: only what ends the whole group: the transaction itself is gone.
    private func runInSavepoint(_ write: any PendingWrite) throws -> StoreChange {
        var change = StoreChange()
        try connection.run("SAVEPOINT item")
        do {
            change = try write.run(connection)
        } catch {
            write.reject(error)
            // A full disk or an I/O error has ended the transaction: what the group did before is gone too.
            if !connection.canGoOn { throw error }
            if case StoreError.unavailable = error { throw error }
            try connection.run("ROLLBACK TO item")
        }
        try connection.run("RELEASE item")
        return change
    }
}

/// A caller's transaction on its way through a group.
private protocol PendingWrite: AnyObject, Sendable {
    /// It has a commit of its own.
    var isLarge: Bool { get }
    /// - Returns: what others are told of it.
    func run(_ connection: any StoreConnection) throws -> StoreChange
    /// Its own body threw: it is told so whatever becomes of the group.
    func reject(_ error: any Error)
    /// The group is on disk.
    func finish()
    /// The group is lost.
    func fail(_ error: any Error)
}

/// `@unchecked Sendable`: after it was handed to the queue, the queue alone touches it.
private final class Write<T: Sendable>: PendingWrite, @unchecked Sendable {
    let isLarge: Bool
    private let body: @Sendable (StoreWriter) throws -> T
    private let continuation: CheckedContinuation<T, any Error>
    private var outcome: Result<T, any Error>?

    init(
        isLarge: Bool, body: @escaping @Sendable (StoreWriter) throws -> T,
        continuation: CheckedContinuation<T, any Error>
    ) {
        self.isLarge = isLarge
        self.body = body
        self.continuation = continuation
    }

    func run(_ connection: any StoreConnection) throws -> StoreChange {
        let writer = StoreWriter(db: connection, told: .init())
        outcome = .success(try body(writer))
        try connection.check()
        return writer.told.change
    }
    func reject(_ error: any Error) { outcome = .failure(error) }
    func finish() {
        continuation.resume(with: outcome ?? .failure(StoreError.failed("a transaction was passed over")))
    }
    func fail(_ error: any Error) {
        if case .failure(let own) = outcome {
            continuation.resume(throwing: own)
        } else {
            continuation.resume(throwing: error)
        }
    }
}
