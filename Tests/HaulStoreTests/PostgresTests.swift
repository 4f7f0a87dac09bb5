import Foundation
import HaulModel
import Support
import Testing

@testable import HaulStore

/// What is PostgreSQL's own: values as they come and go, pipelines, connections that end.
@Suite struct PostgresTests {
    private static func connection() async throws -> PostgresConnection {
        try PostgresConnection(url: try await TestDatabase.makePostgreSQL(), name: "test")
    }

    @Test func values() async throws {
        let connection = try await Self.connection()
        try connection.script("CREATE TABLE v (i BIGINT, d DOUBLE PRECISION, t TEXT, b BYTEA)")
        let sets: [[SQLValue]] = [
            [.int(.min), .double(.pi), .text("é\n'\\ 😀"), .blob([0, 255, 10, 92])],
            [.int(.max), .double(-0.0), .text(""), .blob([])],
            [.null, .null, .null, .null],
            [
                .int(0), .double(1e300), .text(String(repeating: "x", count: 1 << 20)),
                .blob([UInt8](repeating: 7, count: 1 << 20)),
            ],
        ]
        #expect(try connection.run("INSERT INTO v VALUES ($1, $2, $3, $4)", batch: sets) == [1, 1, 1, 1])
        let read = try connection.rows("SELECT i, d, t, b FROM v") { row -> [SQLValue] in
            [
                SQLValue(row.optionalInt(0)), SQLValue(row.optionalDouble(1)), SQLValue(row.optionalText(2)),
                row.optionalBlob(3).map(SQLValue.blob) ?? .null,
            ]
        }
        #expect(read == sets)
        // It has no text with a zero in it.
        try connection.run("UPDATE v SET t = $1 WHERE i = 0", [.text("a\0b")])
        #expect(try connection.first("SELECT t FROM v WHERE i = 0") { $0.text(0) } == "a\u{FFFD}b")
        #expect(try connection.rows("SELECT i IS NULL FROM v ORDER BY i IS NULL") { $0.int(0) } == [0, 0, 0, 1])
    }

    @Test func aBatchIsInOrderAndWholeOrNot() async throws {
        let connection = try await Self.connection()
        try connection.script("CREATE TABLE n (i BIGINT PRIMARY KEY)")
        var seen: [Int] = []
        let count = 2000
        try connection.run("INSERT INTO n VALUES ($1) RETURNING i * 2", batch: (0..<count).map { [.int($0)] }) {
            #expect($1.int(0) == $0 * 2)
            seen.append($0)
        }
        #expect(seen == Array(0..<count))
        #expect(try connection.run("INSERT INTO n VALUES ($1)", batch: []) == [])
        try connection.beginWriting()
        // One of them is there already.
        #expect(throws: StoreError.self) {
            try connection.run("INSERT INTO n VALUES ($1)", batch: [[.int(-1)], [.int(5)], [.int(-2)]])
        }
        try connection.rollback()
        #expect(try connection.first("SELECT COUNT(*) FROM n") { $0.int(0) } == count)
        // What a caller throws while rows come leaves the connection in order.
        struct Enough: Error {}
        #expect(throws: Enough.self) {
            try connection.run("SELECT i FROM n WHERE i < $1", batch: [[.int(9)], [.int(9)]]) { _, _ in throw Enough() }
        }
        #expect(try connection.first("SELECT 7") { $0.int(0) } == 7)
    }

    /// What is done later is done before what follows, and in its transaction alone.
    @Test func later() async throws {
        let connection = try await Self.connection()
        try connection.script("CREATE TABLE n (i BIGINT PRIMARY KEY)")
        try connection.beginWriting()
        try connection.later("INSERT INTO n VALUES ($1)", [.int(1)])
        #expect(try connection.first("SELECT COUNT(*) FROM n") { $0.int(0) } == 1)
        try connection.later("INSERT INTO n VALUES ($1)", [.int(2)])
        try connection.commit(telling: StoreChange())
        // Nothing else was said in this one.
        try connection.beginWriting()
        try connection.later("INSERT INTO n VALUES ($1)", [.int(3)])
        try connection.commit(telling: StoreChange())
        try connection.beginWriting()
        try connection.later("INSERT INTO n VALUES ($1)", [.int(4)])
        try connection.rollback()
        for number in 5..<1500 {
            if number == 5 { try connection.beginWriting() }
            try connection.later("INSERT INTO n VALUES ($1)", [.int(number)])
        }
        try connection.commit(telling: StoreChange())
        #expect(try connection.first("SELECT COUNT(*) FROM n") { $0.int(0) } == 3 + 1495)
    }

    /// Where what was to be done later fails, nobody of the group is told that it is there.
    @Test func laterFails() async throws {
        let store = try Store(at: .postgresql(url: try await TestDatabase.makePostgreSQL()), readers: 1) { _ in }
        _ = try await store.write { try $0.setting("there", initially: [1]) }
        let errors = try await writeTogether(
            store,
            [
                { _ = try $0.setting("a", initially: [1]) },
                {
                    try $0.db.later("INSERT INTO settings (name, value) VALUES ($1, $2)", [.text("there"), .blob([2])])
                },
                { _ = try $0.setting("b", initially: [1]) },
            ])
        #expect(errors.allSatisfy { $0 != nil })
        #expect(try await store.read { [try $0.setting("a"), try $0.setting("b")] } == [nil, nil])
        _ = try await store.write { try $0.setting("after", initially: [1]) }
        #expect(try await store.read { try $0.setting("after") } == [1])
    }

    /// Who waits for the lock of writers longer than it is worth is told that nothing was done.
    @Test func aConnectionThatEnds() async throws {
        let url = try await TestDatabase.makePostgreSQL()
        let (one, two) = (try PostgresConnection(url: url, name: "one"), try PostgresConnection(url: url, name: "two"))
        try one.script("CREATE TABLE n (i BIGINT PRIMARY KEY)")
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'one'"
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
        try one.beginReading()
        #expect(try one.first("SELECT COUNT(*) FROM n") { $0.int(0) } == 0)
        try one.rollback()
    }

    @Test(arguments: [
        ("postgresql://u:p@h:1/d?sslmode=x&password=p", "postgresql://u@h:1/d"), ("postgres://h/d", "postgres://h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"), ("postgresql://u:a@b@h/d", "postgresql://u@h/d"),
    ])
    func noSecretIsShown(url: String, shown: String) {
        #expect(StoreLocation(url).description == shown)
    }

    @Test func changes() {
        let change = StoreChange([.work, .sweep], jobs: [3, 1])
        #expect(StoreChange(text: change.text(most: 100)) == change)
        #expect(StoreChange(text: StoreChange.anything.text(most: 100)) == .anything)
        #expect(StoreChange(text: change.text(most: 3))?.jobs == nil)
        for text in ["", "1", "x 1", "1 2 3"] { #expect(StoreChange(text: text)?.kinds.isEmpty != false) }
    }
}
