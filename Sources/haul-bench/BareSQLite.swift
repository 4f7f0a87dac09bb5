import CSQLite
import Foundation

/// The raw limit of what is kept in SQLite: rows into a bare table, synced to the same disk before each commit ends.
enum BareSQLite {
    static let name = "raw limit: rows into a bare SQLite"

    /// Rows/s.
    static func rate(rowsACommit: Int) throws -> Double {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("haul-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var opened: OpaquePointer?
        defer { sqlite3_close_v2(opened) }
        guard sqlite3_open(folder.appendingPathComponent("raw.sqlite").path, &opened) == SQLITE_OK, let opened else {
            throw BenchError(message: "no SQLite database can be made in \(folder.path)")
        }
        func run(_ sql: String) throws {
            guard sqlite3_exec(opened, sql, nil, nil, nil) == SQLITE_OK else {
                throw BenchError(message: "the bare SQLite: \(String(cString: sqlite3_errmsg(opened)))")
            }
        }
        try run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000")
        try run("CREATE TABLE bare (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, path TEXT, options TEXT)")
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard
            sqlite3_prepare_v2(
                opened, "INSERT INTO bare (a, b, path, options) VALUES (1, 2, '/bench/src/a-path', '{}')", -1,
                &statement, nil) == SQLITE_OK
        else { throw BenchError(message: "the bare SQLite: \(String(cString: sqlite3_errmsg(opened)))") }
        // About a second, whatever the size of a commit.
        let clock = ContinuousClock()
        let start = clock.now
        var rows = 0
        while clock.now - start < .seconds(1) {
            try run("BEGIN")
            for _ in 0..<rowsACommit {
                sqlite3_step(statement)
                sqlite3_reset(statement)
            }
            try run("COMMIT")
            rows += rowsACommit
        }
        return Double(rows) / ((clock.now - start) / .seconds(1))
    }
}
