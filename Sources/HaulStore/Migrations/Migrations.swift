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
    static func apply(to connection: any StoreConnection, path: String, steps: [Step] = steps) throws {
        try inTransaction(connection) {
            try connection.script(
                connection.schema(
                    """
                    CREATE TABLE IF NOT EXISTS schema_migrations (
                        version INTEGER PRIMARY KEY, name TEXT NOT NULL,
                        applied TEXT NOT NULL DEFAULT (CAST(CURRENT_TIMESTAMP AS TEXT)))
                    """))
        }
        let known = steps.last?.version ?? 0
        func found() throws -> Int {
            try connection.first("SELECT COALESCE(MAX(version), 0) FROM schema_migrations") { $0.int(0) } ?? 0
        }
        let version = try found()
        guard version <= known else { throw StoreError.newer(found: version, known: known, path: path) }
        for step in steps where step.version > version {
            try inTransaction(connection) {
                // Another server that started at the same time may have been faster.
                guard try found() < step.version else { return }
                try connection.script(connection.schema(step.sql))
                try connection.run(
                    "INSERT INTO schema_migrations (version, name) VALUES ($1, $2)",
                    [.int(step.version), .text(step.name)])
            }
        }
    }

    private static func inTransaction(_ connection: any StoreConnection, _ body: () throws -> Void) throws {
        try connection.beginWriting()
        do {
            try body()
            try connection.commit(telling: StoreChange())
        } catch {
            try? connection.rollback()
            throw error
        }
    }
}
