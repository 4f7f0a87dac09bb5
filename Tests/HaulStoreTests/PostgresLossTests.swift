import HaulModel
import Support
import Testing

@testable import HaulStore

/// Connections that end, and a database that is away.
@Suite(.timeLimit(.minutes(6))) struct PostgresLossTests {
    /// The database is away, and comes back: as soon as one connection got through, no other says that it is away.
    @Test func anOutageIsOverForAll() async throws {
        let url = try await TestDatabase.makePostgreSQL()
        let name = try #require(url.split(separator: "/").last?.split(separator: "?").first.map(String.init))
        let outage = PostgresOutage()
        let connections = try ["one", "two"].map { try PostgresConnection(url: url, name: $0, outage: outage) }
        func answers(_ connection: PostgresConnection) -> Bool {
            defer { try? connection.rollback() }
            do {
                try connection.beginReading(isOneStatement: true)
                return try connection.first("SELECT 7") { $0.int(0) } == 7
            } catch { return false }
        }
        for _ in 0..<3 {
            let end = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '\(name)'"
            _ = try await TestDatabase.query(
                "ALTER DATABASE \(name) ALLOW_CONNECTIONS false; \(end)", database: "postgres")
            #expect(!answers(connections[0]))
            // Each by itself would find out a while after the first that it is back.
            _ = try await TestDatabase.query("SELECT pg_sleep(0.2)", database: "postgres")
            #expect(!answers(connections[1]))
            _ = try await TestDatabase.query("ALTER DATABASE \(name) ALLOW_CONNECTIONS true", database: "postgres")
            while !connections.contains(where: answers) { await Task.yield() }
            for connection in connections { #expect(answers(connection)) }
        }
    }

    /// A connection that ends between two transactions is not missed; in the middle of one, all of that is lost.
    @Test func aConnectionThatEnds() async throws {
        let url = try await TestDatabase.makePostgreSQL()
        let (one, two) = (try PostgresConnection(url: url, name: "one"), try PostgresConnection(url: url, name: "two"))
        try one.script("CREATE TABLE n (i BIGINT PRIMARY KEY)")
        let end = """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'one' AND datname = current_database()
            """
        // Between two transactions: it is not noticed.
        try two.run(end)
        try one.beginWriting()
        try one.run("INSERT INTO n VALUES (1)")
        // In the middle of one: it is lost as a whole.
        try two.run(end)
        let error = #expect(throws: StoreError.self) { try one.run("INSERT INTO n VALUES (2)") }
        if case .unavailable = error {} else { Issue.record("\(String(describing: error))") }
        #expect(!one.canGoOn)
        #expect(throws: StoreError.self) { try one.commit(telling: StoreChange(.work)) }
        try one.rollback()
        try one.beginReading(isOneStatement: false)
        #expect(try one.first("SELECT COUNT(*) FROM n") { $0.int(0) } == 0)
        try one.rollback()
    }
}
