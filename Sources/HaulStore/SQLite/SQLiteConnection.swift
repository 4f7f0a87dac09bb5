import CSQLite

/// One open SQLite database. Used from one queue at a time.
final class SQLiteConnection: StoreConnection {
    private let handle: OpaquePointer
    /// Prepared statements by their text. Bounded: haul's verbs are a fixed set of texts.
    private var statements: [String: SQLiteStatement] = [:]
    /// Of an INSERT by its text that of many rows; nil where there is none.
    private var inserts: [String: RowInsert?] = [:]
    /// What becomes of each statement before it is run; nil is nothing. What it throws is the statement's end.
    var rewriting: (@Sendable (String) throws -> String)?
    private let remembered = WriterMemory()

    /// Once in a process, before the first connection.
    private static let isConfigured = haul_sqlite_configure() == SQLITE_OK

    /// - Parameter readOnly: for the pool of readers.
    init(path: String, readOnly: Bool) throws(StoreError) {
        _ = Self.isConfigured
        var opened: OpaquePointer?
        let flags = (readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) | SQLITE_OPEN_NOMUTEX
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let reason = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw .unusable("\(path): \(reason)")
        }
        handle = opened
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, 10_000)
    }

    deinit {
        statements.removeAll()
        sqlite3_close_v2(handle)
    }

    /// SQLite ends a transaction by itself on a full disk or an I/O error.
    var canGoOn: Bool { sqlite3_get_autocommit(handle) == 0 }

    func beginWriting() throws { try run("BEGIN IMMEDIATE") }
    /// A statement alone sees one moment by itself.
    func beginReading(isOneStatement: Bool) throws { if !isOneStatement { try run("BEGIN") } }
    var isNear: Bool { true }
    /// Nobody else has the database: there is nobody to tell.
    func commit(telling change: StoreChange) throws { try run("COMMIT") }
    func rollback() throws { if canGoOn { try run("ROLLBACK") } }
    /// It is here: there is no journey.
    func later(_ sql: String, batch: [[SQLValue]]) throws { try run(sql, batch: batch) }
    func laterEach(_ sql: String, batch: [[SQLValue]]) throws {
        guard try run(sql, batch: batch).allSatisfy({ $0 == 1 }) else { throw StoreError.stale }
    }
    func check() {}
    func schema(_ sql: String) -> String { sql }
    var clock: String? { nil }

    /// What was taken back is forgotten: see ``step(_:_:_:_:)``.
    var memory: WriterMemory? { remembered }

    @discardableResult
    func run(_ sql: String, _ values: [SQLValue], row: (any SQLRow) throws -> Void) throws -> Int {
        // Of the transaction, or of the savepoint.
        if sql.utf8.first == UInt8(ascii: "R"), sql.hasPrefix("ROLLBACK") { remembered.forget() }
        return try step(try prepared(sql), sql, values, row)
    }

    @discardableResult
    func run(_ sql: String, batch: [[SQLValue]], row: (Int, any SQLRow) throws -> Void) throws -> [Int] {
        let together = try insertTogether(sql, batch) { _ in }
        guard together < batch.count else { return [Int](repeating: 1, count: together) }
        let statement = try prepared(sql)
        return try [Int](repeating: 1, count: together)
            + batch.enumerated().dropFirst(together).map { number, values in
                try step(statement, sql, values) { try row(number, $0) }
            }
    }

    @discardableResult
    func run(together statements: [SQLBatch]) throws -> [[Int]] {
        try statements.map { try run($0.sql, batch: $0.sets, row: $0.row) }
    }

    /// A statement that returns something makes SQLite gather its rows in a table first: over a job it took a fifth of
    /// the time.
    func insert(_ sql: String, batch: [[SQLValue]]) throws -> [Int] {
        var ids: [Int] = []
        ids.reserveCapacity(batch.count)
        let together = try insertTogether(sql, batch) { ids += $0 }
        let statement = try prepared(sql)
        for values in batch.dropFirst(together) {
            try step(statement, sql, values) { _ in }
            ids.append(Int(sqlite3_last_insert_rowid(handle)))
        }
        return ids
    }

    /// Inserts rows of a batch many at a time, as far as they go: each statement opens the table and all its indexes once,
    /// which costs more than a row.
    ///
    /// - Parameter done: given the ids of the rows of each statement, where the table gives them: one after the other.
    /// - Returns: how many rows there are now; none for what is more than an INSERT of values.
    private func insertTogether(
        _ sql: String, _ batch: [[SQLValue]], done: (ClosedRange<Int>) -> Void
    ) throws -> Int {
        guard batch.count >= RowInsert.rows, let insert = insert(sql, width: batch[0].count) else { return 0 }
        let statement = try prepared(insert.sql)
        var count = 0
        while batch.count - count >= RowInsert.rows {
            let rows = batch[count..<count + RowInsert.rows]
            let changed = try step(statement, insert.sql, rows.flatMap(\.self)) { _ in }
            guard changed == rows.count else { throw StoreError.failed("\(changed) of \(rows.count) rows: \(sql)") }
            let last = Int(sqlite3_last_insert_rowid(handle))
            done(last - rows.count + 1...last)
            count += rows.count
        }
        return count
    }

    private func insert(_ sql: String, width: Int) -> RowInsert? {
        if let known = inserts[sql] { return known }
        let insert = RowInsert(sql, width: width)
        inserts[sql] = .some(insert)
        return insert
    }

    @discardableResult
    private func step(
        _ statement: SQLiteStatement, _ sql: String, _ values: [SQLValue], _ row: (any SQLRow) throws -> Void
    ) throws -> Int {
        defer { statement.reset() }
        try statement.bind(values)
        while true {
            let code = sqlite3_step(statement.handle)
            switch code {
            case SQLITE_ROW: try row(statement)
            case SQLITE_DONE: return Int(sqlite3_changes(handle))
            default:
                // It may have ended the transaction.
                remembered.forget()
                throw error(code, sql)
            }
        }
    }

    /// The texts of all statements that were run, for a test of their plans.
    var texts: [String] { Array(statements.keys) }

    /// Runs a text of several statements, as migrations are.
    func script(_ sql: String) throws {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        if code != SQLITE_OK { throw error(code, sql) }
    }

    private func prepared(_ sql: String) throws -> SQLiteStatement {
        let text = try rewriting?(sql) ?? sql
        if let statement = statements[text] { return statement }
        var compiled: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil)
        guard code == SQLITE_OK, let compiled else { throw error(code, sql) }
        let statement = SQLiteStatement(handle: compiled)
        statements[text] = statement
        return statement
    }

    private func error(_ code: Int32, _ sql: String) -> StoreError {
        let line = sql.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        let text = "\(String(cString: sqlite3_errmsg(handle))) (\(code)) in: \(line)"
        switch code & 0xFF {
        case SQLITE_CONSTRAINT: return .constraint(text)
        case SQLITE_FULL, SQLITE_IOERR, SQLITE_BUSY, SQLITE_LOCKED, SQLITE_NOMEM, SQLITE_READONLY, SQLITE_CANTOPEN:
            return code == SQLiteConnection.fsyncFailed ? .fsyncFailed(text) : .unavailable(text)
        default: return .failed(text)
        }
    }

    /// SQLITE_IOERR_FSYNC, a macro that Swift can't import.
    private static let fsyncFailed = SQLITE_IOERR | (4 << 8)
}
