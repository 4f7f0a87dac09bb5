/// The numbered steps that lead from an empty database to the schema that this program knows.
///
/// A step that has been released is never changed: a new one follows it.
enum Migrations {
    struct Step {
        let version: Int
        let name: String
        let sql: String
    }

    static let steps = [Step(version: 1, name: "first schema", sql: firstSchema)]

    /// Brings the schema up to date, each step in a transaction of its own.
    static func apply(to connection: SQLiteConnection, path: String, steps: [Step] = steps) throws {
        try connection.script(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)
            """)
        let known = steps.last?.version ?? 0
        let found = try connection.first("SELECT COALESCE(MAX(version), 0) FROM schema_migrations") { $0.int(0) } ?? 0
        guard found <= known else { throw StoreError.newer(found: found, known: known, path: path) }
        for step in steps where step.version > found {
            try connection.script("BEGIN IMMEDIATE")
            do {
                try connection.script(step.sql)
                try connection.run(
                    "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)",
                    [.int(step.version), .text(step.name)])
                try connection.script("COMMIT")
            } catch {
                if connection.isInTransaction { try? connection.script("ROLLBACK") }
                throw error
            }
        }
    }
}
