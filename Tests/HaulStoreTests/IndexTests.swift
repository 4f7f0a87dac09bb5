import Foundation
import Testing

@testable import HaulStore

/// What users, workers and configuration files give may be longer than the 2,704 bytes that PostgreSQL takes into an index.
@Suite(.timeLimit(.minutes(5))) struct IndexTests {
    /// Texts and blobs that stand in an index, and what bounds each.
    private static let bounded = [
        // Names of ours.
        "settings.name", "queue_stages.stage",
        // `hauld.json5` takes addresses of 300 bytes at most; a host that can be listened at has a shorter name.
        "servers.url",
        // 64 bytes: `AccessToken.problem`, `JobRequest`, `JobChange`.
        "users.name", "queues.name",
        // 32 bytes: `ProtocolName`, hashes, and a constraint.
        "lanes.protocol", "tokens.hash", "kept_directories.path_hash", "jobs.log_uid", "joined_jobs.key",
        // 64 bytes: `Site.isName`, the native API; 64 and 255 bytes of a user's name, those of issuers among them.
        "sites.name", "credentials.kind", "sites.owner",
        // 128 bytes: the worker API.
        "workers.name",
        // 255 bytes: the native API.
        "idempotency_keys.key",
        // 32 bytes: a hash.
        "login_failures.hash",
    ]

    @Test func whatIsIndexedIsBounded() throws {
        let folder = try TemporaryStore.makeFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let db = try SQLiteConnection(path: folder + "/haul.sqlite", readOnly: false)
        try Migrations.apply(to: db, path: folder)
        let indexed = try db.rows(
            """
            SELECT DISTINCT t.name, c.name FROM sqlite_schema t
                JOIN pragma_index_list(t.name) i JOIN pragma_index_info(i.name) x
                JOIN pragma_table_info(t.name) c ON c.cid = x.cid
            WHERE t.type = 'table' AND c.type IN ('TEXT', 'BLOB') AND t.name NOT LIKE 'sqlite_%'
            """
        ) { "\($0.text(0)).\($0.text(1))" }
        #expect(indexed.contains("kept_directories.path_hash"))
        #expect(Set(indexed).subtracting(Self.bounded).isEmpty)
    }
}
