import CSQLite
import Support

/// A live server's database as someone else on its machine opens it: to look at it, and to put faults in.
final class OutsideDatabase {
    private let handle: OpaquePointer

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init(_ server: LiveServer) throws {
        var opened: OpaquePointer?
        guard sqlite3_open_v2(server.database, &opened, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK, let opened else {
            sqlite3_close_v2(opened)
            throw Failure(description: "\(server.database) can't be opened")
        }
        handle = opened
        sqlite3_busy_timeout(handle, 10_000)
    }

    deinit { sqlite3_close_v2(handle) }

    func run(_ sql: String) throws {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else {
            throw Failure(description: "\(String(cString: sqlite3_errmsg(handle))) in: \(sql)")
        }
    }

    /// The first column of a query's first row.
    func number(_ sql: String) throws -> Int {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, sqlite3_step(statement) == SQLITE_ROW
        else { throw Failure(description: "\(String(cString: sqlite3_errmsg(handle))) in: \(sql)") }
        return Int(sqlite3_column_int64(statement, 0))
    }

    /// The first column of a query's first row, as text.
    func text(_ sql: String) throws -> String {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, sqlite3_step(statement) == SQLITE_ROW,
            let text = sqlite3_column_text(statement, 0)
        else { throw Failure(description: "\(String(cString: sqlite3_errmsg(handle))) in: \(sql)") }
        return String(cString: text)
    }

    /// Rows of the tables that a registration touches, and what stands ready in lanes.
    func registered() throws -> [Int] {
        try [
            "SELECT COUNT(*) FROM jobs", "SELECT COUNT(*) FROM elements", "SELECT COUNT(*) FROM queues",
            "SELECT COUNT(*) FROM lanes", "SELECT COALESCE(SUM(ready), 0) FROM lanes",
            "SELECT COUNT(*) FROM idempotency_keys",
        ].map(number)
    }
}
