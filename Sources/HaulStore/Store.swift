import Dispatch
import Synchronization

/// The database: every question to it is a verb of ``StoreReader`` or ``StoreWriter``.
///
/// Writes of all callers go through one connection, and those that wait at the same time are made durable by one commit
/// (group commit): each in a savepoint of its own, so that one that throws takes nothing with it. Reads run beside them
/// on connections of their own, each in a short transaction that sees one moment.
///
/// Several servers can share a PostgreSQL database: their transactions come one after the other, as those of one do.
public final class Store: Sendable {
    let writes: WriteQueue
    private let readers: [ReadQueue]
    /// The reader whose turn is next.
    private let next = Atomic<Int>(0)
    /// Nil where nobody else has the database.
    private let listener: PostgresListener?
    private let turn: (@Sendable () async -> Void)?

    /// Opens the database, making or upgrading its schema.
    ///
    /// - Parameters:
    ///   - location: a file, whose folder must exist, or a server's database, which must exist.
    ///   - readers: connections for reads.
    ///   - onFsyncFailure: called with the cause when a commit could not be synced; it shall end the process.
    /// - Throws: `StoreError.unusable` or `.newer`, each one clear line.
    public convenience init(
        at location: StoreLocation, readers: Int = 4, onFsyncFailure: @escaping @Sendable (String) -> Void
    ) throws {
        try self.init(at: location, readers: readers, rewriting: nil, onFsyncFailure)
    }

    /// - Parameters:
    ///   - rewriting: what becomes of each statement before it is run: how a test puts a fault into the engine, or fills the
    ///     disk.
    ///   - committed: called once a transaction is on disk; what it throws is what its callers hear instead: how a test
    ///     loses the answer.
    ///   - turn: awaited before each transaction: how a test decides what comes between two of them.
    init(
        at location: StoreLocation, readers: Int, rewriting: (@Sendable (String) throws -> String)?,
        committed: (@Sendable () throws -> Void)? = nil, turn: (@Sendable () async -> Void)? = nil,
        _ onFsyncFailure: @escaping @Sendable (String) -> Void
    ) throws {
        let opened: Opened
        do {
            opened =
                switch location {
                case .sqlite(let path): try Self.sqlite(path, readers: max(1, readers), rewriting)
                case .postgresql(let url): try Self.postgresql(url, readers: max(1, readers), rewriting)
                }
            try Migrations.apply(to: opened.writer, path: location.description)
        } catch let error as StoreError {
            if case .newer = error { throw error }
            throw StoreError.unusable(
                "\(location) can't be used as haul's database: \(error.summary)\(error.isForbidden ? Self.ownership : "")"
            )
        }
        let listener = opened.listener
        writes = WriteQueue(connection: opened.writer, committed: committed, onFsyncFailure: onFsyncFailure) {
            listener?.distrust()
        }
        self.turn = turn
        self.readers = opened.readers.enumerated().map { ReadQueue(connection: $1, number: $0) }
        self.listener = listener
    }

    deinit { listener?.stop() }

    /// What to do where the URL's user may not make tables: since PostgreSQL 15 the owner of a database may, others not.
    private static let ownership =
        "; the database has to be its user's: createdb -O USER -E UTF8 -T template0 NAME, or ALTER DATABASE NAME OWNER TO USER"

    private struct Opened {
        var writer: any StoreConnection
        var readers: [any StoreConnection]
        var listener: PostgresListener?
    }

    private static func sqlite(
        _ path: String, readers: Int, _ rewriting: (@Sendable (String) throws -> String)?
    ) throws -> Opened {
        let writer = try SQLiteConnection(path: path, readOnly: false)
        try writer.script(
            """
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
            PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536;
            PRAGMA temp_store = MEMORY
            """)
        writer.rewriting = rewriting
        return Opened(
            writer: writer,
            readers: try (0..<readers).map { _ in
                let reader = try SQLiteConnection(path: path, readOnly: true)
                reader.rewriting = rewriting
                try reader.script("PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY")
                return reader
            })
    }

    private static func postgresql(
        _ url: String, readers: Int, _ rewriting: (@Sendable (String) throws -> String)?
    ) throws -> Opened {
        let outage = PostgresOutage()
        let sender = String(UInt64.random(in: 0 ... .max), radix: 36)
        func connection(_ name: String, isReader: Bool) throws -> PostgresConnection {
            // A connection costs the server a process, and the commands of an operator need one alone.
            let connection = try PostgresConnection(
                url: url, name: name, sender: sender, isReadOnly: isReader, opens: !isReader, outage: outage)
            connection.rewriting = rewriting
            return connection
        }
        return Opened(
            writer: try connection("hauld writes", isReader: false),
            readers: try (0..<readers).map { _ in try connection("hauld reads", isReader: true) },
            listener: PostgresListener(url: url, sender: sender, outage: outage))
    }

    /// Calls `hear` with what the other servers of the database did, until the store is gone. To be called once.
    public func listen(_ hear: @escaping @Sendable (StoreChange) -> Void) {
        listener?.start(hear)
    }

    /// Runs `body` in a transaction and returns once it is on disk. What `body` throws is thrown, and nothing of it kept.
    ///
    /// - Parameter isLarge: it changes hundreds of rows: it shares its commit with nobody.
    public func write<T: Sendable>(
        isLarge: Bool = false, _ body: @escaping @Sendable (StoreWriter) throws -> T
    ) async throws -> T {
        await turn?()
        return try await writes.perform(isLarge: isLarge, body)
    }

    /// Runs `body` in a transaction, for this item and those of others that come together, and returns once it is on disk.
    /// Where it throws, nothing of it is kept, and each item is tried alone.
    public func write<Item: Sendable, Outcome: Sendable>(
        _ item: Item, among gathering: Gathering<Item, Outcome>,
        _ body: @escaping Gathering<Item, Outcome>.Body
    ) async throws -> Outcome {
        await turn?()
        return try await gathering.perform(item, by: writes, body)
    }

    /// Runs `body` over one moment of the database.
    public func read<T: Sendable>(_ body: @escaping @Sendable (StoreReader) throws -> T) async throws -> T {
        try await read(isOneStatement: false, body)
    }

    /// The same, of a body that asks a single question: it costs one journey.
    public func ask<T: Sendable>(_ body: @escaping @Sendable (StoreReader) throws -> T) async throws -> T {
        try await read(isOneStatement: true, body)
    }

    private func read<T: Sendable>(
        isOneStatement: Bool, _ body: @escaping @Sendable (StoreReader) throws -> T
    ) async throws -> T {
        await turn?()
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return try await readers[abs(number % readers.count)].perform(isOneStatement: isOneStatement, body)
    }
}
