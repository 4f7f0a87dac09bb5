import Foundation
import HaulModel
import Support
import Testing

@testable import HaulStore

@Suite("A database that can't be used is refused in one clear line, and its schema is made in whole steps")
struct StartTests {
    /// A connection to a new, empty database, and where it is.
    private static func connection() async throws -> (connection: any StoreConnection, location: StoreLocation) {
        let file = try TemporaryStore.makeFolder() + "/haul.sqlite"
        let location = StoreLocation(try await TestDatabase.make(file: file))
        switch location {
        case .sqlite(let path): return (try SQLiteConnection(path: path, readOnly: false), location)
        case .postgresql(let url): return (try PostgresConnection(url: url, name: "test"), location)
        }
    }

    @Test("a database from a newer version") func newer() async throws {
        let (connection, location) = try await Self.connection()
        try Migrations.apply(to: connection, path: "x")
        try connection.run("INSERT INTO schema_migrations (version, name) VALUES (999, 'future')")
        let error = #expect(throws: StoreError.self) { try Store(at: location) { _ in } }
        #expect(error?.description.contains("999") == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test("what is no database, and what can't be opened") func unusable() throws {
        let folder = try TemporaryStore.makeFolder()
        let garbage = folder + "/garbage"
        try Data(repeating: 0x55, count: 8192).write(to: URL(fileURLWithPath: garbage))
        #expect(throws: StoreError.self) { try Store(at: .sqlite(path: garbage)) { _ in } }
        #expect(throws: StoreError.self) { try Store(at: .sqlite(path: folder + "/no/such/folder/x")) { _ in } }
        // Nobody listens there; what is said names no password.
        let error = #expect(throws: StoreError.self) {
            try Store(at: .postgresql(url: "postgresql://u:secret@127.0.0.1:1/d?sslmode=disable")) { _ in }
        }
        let text = error?.description ?? ""
        #expect(text.contains("postgresql://u@127.0.0.1:1/d can't be used") && !text.contains("secret"), "\(text)")
        #expect(!text.contains("\n"))
    }

    @Test("a database that is not its user's") func notTheOwner() async throws {
        let url = try await TestDatabase.makePostgreSQL()
        let name = try #require(url.split(separator: "/").last).description
        _ = try await TestDatabase.query("CREATE ROLE u\(name) LOGIN", database: name)
        let theirs = StoreLocation.postgresql(url: url.replacing("//haul@", with: "//u\(name)@"))
        let error = #expect(throws: StoreError.self) { try Store(at: theirs) { _ in } }
        let text = error?.description ?? ""
        #expect(text.contains("permission denied") && text.contains("createdb -O USER"), "\(text)")
        _ = try await TestDatabase.query("ALTER DATABASE \(name) OWNER TO u\(name)", database: name)
        let store = try Store(at: theirs, readers: 1) { _ in }
        #expect(try await store.read { try $0.user(named: "nobody") } == nil)
    }

    @Test("steps of the schema are applied once, each whole or not at all") func migrations() async throws {
        let (connection, _) = try await Self.connection()
        let steps = [
            Migrations.Step(version: 1, name: "one", sql: "CREATE TABLE a (x INTEGER)"),
            Migrations.Step(version: 2, name: "two", sql: "CREATE TABLE b (x INTEGER); CREATE TABLE nonsense ("),
        ]
        #expect(throws: StoreError.self) { try Migrations.apply(to: connection, path: "x", steps: steps) }
        try Migrations.apply(to: connection, path: "x", steps: [steps[0]])
        try connection.run("INSERT INTO a (x) VALUES (1)")
        #expect(throws: StoreError.self) { try connection.run("INSERT INTO b (x) VALUES (1)") }
        #expect(try connection.rows("SELECT version FROM schema_migrations") { $0.int(0) } == [1])
    }

    @Test("several servers that start at once make the schema once") func together() async throws {
        let (_, location) = try await Self.connection()
        try await withThrowingTaskGroup { group in
            for number in 0..<4 {
                group.addTask {
                    let store = try await withCheckedThrowingContinuation { continuation in
                        DispatchQueue.global().async {
                            continuation.resume(with: Result { try Store(at: location, readers: 1) { _ in } })
                        }
                    }
                    _ = try await store.write { try $0.user(named: "u\(number)", now: TemporaryStore.now) }
                }
            }
            try await group.waitForAll()
        }
        let store = try Store(at: location, readers: 1) { _ in }
        let names = try await store.read { reader in try (0..<4).filter { try reader.user(named: "u\($0)") != nil } }
        #expect(names == [0, 1, 2, 3])
    }
}
