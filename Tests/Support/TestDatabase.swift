import Foundation
import HaulPlayground
import Synchronization

/// The databases of tests: files, or databases of a PostgreSQL server that runs as long as the tests do, as
/// `HAUL_TEST_STORE=postgresql` says. The same tests run over both.
public enum TestDatabase {
    /// True where tests run over PostgreSQL.
    public static let isPostgreSQL: Bool = {
        switch ProcessInfo.processInfo.environment["HAUL_TEST_STORE"] ?? "sqlite" {
        case "sqlite": return false
        case "postgresql": return true
        case let other: fatalError("HAUL_TEST_STORE is sqlite or postgresql, not \(other)")
        }
    }()

    /// Where a new, empty database is: what hauld's configuration takes for `store`.
    ///
    /// - Parameter file: what it is where tests run over SQLite.
    public static func make(file: String) async throws -> String {
        guard isPostgreSQL else { return file }
        return try await makePostgreSQL()
    }

    /// The URL of a new, empty PostgreSQL database.
    public static func makePostgreSQL() async throws -> String {
        let name = "t" + UUID().uuidString.filter { $0 != "-" }.lowercased()
        return try await cluster.value.makeDatabase(name)
    }

    /// What a statement answers in one of its databases, as psql prints it.
    public static func query(_ sql: String, database: String) async throws -> String {
        try await cluster.value.query(sql, database: database)
    }

    private static let cluster = Task { try await PostgresCluster.start(isDurable: false) }
}
