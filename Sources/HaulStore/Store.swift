import Dispatch
import Synchronization

/// The database: every question to it is a verb of ``StoreReader`` or ``StoreWriter``.
///
/// Writes of all callers go through one connection, and those that wait at the same time are made durable by one commit
/// (group commit): each in a savepoint of its own, so that one that throws takes nothing with it. Reads run beside them
/// on connections of their own, each in a short transaction that sees one moment.
public final class Store: Sendable {
    let writes: WriteQueue
    private let readers: [ReadQueue]
    private let turn = Atomic<Int>(0)

    /// Opens the database, making or upgrading its schema.
    ///
    /// - Parameters:
    ///   - path: the database file; its folder must exist.
    ///   - readers: connections for reads.
    ///   - onFsyncFailure: called with the cause when a commit could not be synced; it shall end the process.
    /// - Throws: `StoreError.unusable` or `.newer`, each one clear line.
    public convenience init(
        path: String, readers: Int = 4, onFsyncFailure: @escaping @Sendable (String) -> Void
    ) throws {
        try self.init(path: path, readers: readers, rewriting: nil, onFsyncFailure)
    }

    /// - Parameter rewriting: what becomes of each statement before it is run: how a test puts a fault into the engine.
    init(
        path: String, readers: Int, rewriting: (@Sendable (String) -> String)?,
        _ onFsyncFailure: @escaping @Sendable (String) -> Void
    ) throws {
        let connection = try SQLiteConnection(path: path, readOnly: false)
        do {
            try connection.script(
                """
                PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536;
                PRAGMA temp_store = MEMORY
                """)
            try Migrations.apply(to: connection, path: path)
        } catch let error as StoreError {
            if case .newer = error { throw error }
            throw StoreError.unusable("\(path) can't be used as haul's database: \(error.summary)")
        }
        connection.rewriting = rewriting
        writes = WriteQueue(connection: connection, onFsyncFailure: onFsyncFailure)
        self.readers = try (0..<max(1, readers)).map { number in
            let reader = try SQLiteConnection(path: path, readOnly: true)
            reader.rewriting = rewriting
            try reader.script("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY")
            return ReadQueue(connection: reader, number: number)
        }
    }

    /// Runs `body` in a transaction and returns once it is on disk. What `body` throws is thrown, and nothing of it kept.
    ///
    /// - Parameter isLarge: it changes hundreds of rows: it shares its commit with nobody.
    public func write<T: Sendable>(
        isLarge: Bool = false, _ body: @escaping @Sendable (StoreWriter) throws -> T
    ) async throws -> T {
        try await writes.perform(isLarge: isLarge, body)
    }

    /// Runs `body` over one moment of the database.
    public func read<T: Sendable>(_ body: @escaping @Sendable (StoreReader) throws -> T) async throws -> T {
        let number = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return try await readers[abs(number % readers.count)].perform(body)
    }
}
