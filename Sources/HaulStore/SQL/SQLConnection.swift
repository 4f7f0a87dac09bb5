/// A value that goes into or comes out of a statement.
enum SQLValue: Sendable, Hashable {
    case null
    case int(Int)
    case double(Double)
    case text(String)
    case blob([UInt8])

    init(_ value: Int?) { self = value.map(SQLValue.int) ?? .null }
    init(_ value: Double?) { self = value.map(SQLValue.double) ?? .null }
    init(_ value: String?) { self = value.map(SQLValue.text) ?? .null }
}

extension SQLValue: ExpressibleByIntegerLiteral {
    init(integerLiteral value: Int) { self = .int(value) }
}

/// The columns of one row, valid only inside the call that hands it out.
protocol SQLRow {
    func int(_ column: Int) -> Int
    func optionalInt(_ column: Int) -> Int?
    func double(_ column: Int) -> Double
    func optionalDouble(_ column: Int) -> Double?
    func text(_ column: Int) -> String
    func optionalText(_ column: Int) -> String?
    func blob(_ column: Int) -> [UInt8]
    func optionalBlob(_ column: Int) -> [UInt8]?
}

/// A statement that is run once for each set of values, and what is told of each row: the number of its set, and the row.
struct SQLBatch {
    var sql: String
    var sets: [[SQLValue]]
    var row: (Int, any SQLRow) throws -> Void
}

/// A driver's connection, confined to one queue. Parameters are written `$1`, `$2` ...
protocol SQLConnection: AnyObject {
    /// Runs a statement, hands out each row, and answers how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ values: [SQLValue], row: (any SQLRow) throws -> Void) throws -> Int

    /// Runs a statement once for each set of values, in order, and hands out each row with the number of its set: what
    /// answers it is not waited for between two sets, where the database is somewhere else.
    ///
    /// The sets of an UPDATE name different rows: they may be done at once.
    ///
    /// - Returns: how many rows each changed.
    @discardableResult
    func run(_ sql: String, batch: [[SQLValue]], row: (Int, any SQLRow) throws -> Void) throws -> [Int]

    /// Runs several statements, in order, each as for sets of values: none waits for the answer of the one before.
    ///
    /// - Returns: how many rows each changed.
    @discardableResult
    func run(together statements: [SQLBatch]) throws -> [[Int]]

    /// Runs a statement of a transaction that writes, once for each set of values, of which nothing is wanted but that it
    /// is done before whatever follows: its journey to the database can be another's. Where it fails, the whole
    /// transaction may. The sets of an UPDATE name different rows.
    func later(_ sql: String, batch: [[SQLValue]]) throws

    /// The same of what has to change a row for each set: where one does not, the caller's write ends with
    /// `StoreError.stale`, at the latest in ``check()``.
    func laterEach(_ sql: String, batch: [[SQLValue]]) throws

    /// Waits for what has to change a row each.
    ///
    /// - Throws: `StoreError.stale` where one did not.
    func check() throws

    /// Inserts a row for each set of values, in order.
    ///
    /// - Parameter sql: an INSERT into a table whose key is `id`.
    /// - Returns: the ids that they got.
    func insert(_ sql: String, batch: [[SQLValue]]) throws -> [Int]

    /// Asks for the time, in milliseconds since 1970, of the machine that the database is on; nil where that is this one.
    var clock: String? { get }

    /// What a writer may remember from one transaction to the next; nil where nothing may be.
    var memory: WriterMemory? { get }
}

extension SQLConnection {
    var memory: WriterMemory? { nil }

    func insert(_ sql: String, batch: [[SQLValue]]) throws -> [Int] {
        var ids: [Int] = []
        ids.reserveCapacity(batch.count)
        try run(sql + " RETURNING id", batch: batch) { ids.append($1.int(0)) }
        return ids
    }

    func later(_ sql: String, _ values: [SQLValue]) throws { try later(sql, batch: [values]) }

    @discardableResult
    func run(_ sql: String, _ values: [SQLValue] = []) throws -> Int {
        try run(sql, values) { _ in }
    }

    @discardableResult
    func run(_ sql: String, batch: [[SQLValue]]) throws -> [Int] {
        try run(sql, batch: batch) { _, _ in }
    }

    func rows<T>(_ sql: String, _ values: [SQLValue] = [], _ read: (any SQLRow) throws -> T) throws -> [T] {
        var result: [T] = []
        try run(sql, values) { row in result.append(try read(row)) }
        return result
    }

    func first<T>(_ sql: String, _ values: [SQLValue] = [], _ read: (any SQLRow) throws -> T) throws -> T? {
        var result: T?
        try run(sql, values) { row in
            if result == nil { result = try read(row) }
        }
        return result
    }
}
