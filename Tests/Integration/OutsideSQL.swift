import Foundation
import Support

/// A live server's database, whichever it is, as someone else on its machine asks it: with its own shell.
enum OutsideSQL {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    static func run(_ server: LiveServer, _ sql: String) async throws { _ = try await text(server, sql) }

    /// The first column of a query's only row.
    static func text(_ server: LiveServer, _ sql: String) async throws -> String {
        guard server.store.hasPrefix("postgresql:") else {
            let database = try OutsideDatabase(server)
            guard sql.hasPrefix("SELECT") else {
                try database.run(sql)
                return ""
            }
            return try database.text(sql)
        }
        let run = try await ProgramRun(
            executable: "/usr/bin/psql", ["--no-psqlrc", "-qAt", "-c", sql, server.store])
        guard run.code == 0 else { throw Failure(description: "psql \(run.code): \(run.errors)") }
        return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
