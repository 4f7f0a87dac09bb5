import Foundation

/// A user whom no other test knows, and workers who are given their jobs alone: tests share a server and not its work.
public struct Person: Sendable {
    public let name: String
    public let user: Caller
    /// A worker whose token is restricted to this user's jobs.
    public let worker: Caller

    /// The same at another server of the same database.
    public func at(_ server: LiveServer) -> Person {
        Person(
            name: name, user: Caller(server: server, token: user.token),
            worker: Caller(server: server, token: worker.token))
    }
}

extension LiveServer {
    /// A client without a token.
    public var anonymous: Caller { Caller(server: self, token: nil) }

    /// Someone new.
    public func person() async throws -> Person {
        let name = "u" + UUID().uuidString.prefix(8).lowercased()
        async let user = token(user: name, role: "user")
        async let worker = token(user: name + "-worker", role: "worker", "--users", name)
        return try await Person(
            name: name, user: Caller(server: self, token: user), worker: Caller(server: self, token: worker))
    }

    /// A client with a new token.
    public func caller(user: String, role: String, _ more: String...) async throws -> Caller {
        Caller(server: self, token: try await token(user: user, role: role, more))
    }

    /// Makes a token as operators do: `hauld token add`.
    public func token(user: String, role: String, _ more: String...) async throws -> String {
        try await token(user: user, role: role, more)
    }

    /// Revokes tokens as operators do: `hauld token revoke`.
    public func revoke(_ which: String...) async throws -> ProgramRun {
        try await ProgramRun("hauld", ["token", "revoke", "--config", config] + which)
    }

    /// Makes a user with a password as operators do: `hauld user add`.
    public func addUser(_ name: String, role: String, password: String) async throws {
        let run = try await ProgramRun(
            "hauld", ["user", "add", name, "--role", role, "--password-file", "-", "--config", config],
            input: password + "\n")
        guard run.code == 0 else { throw Failure(description: "user add exited \(run.code): \(run.errors)") }
    }

    private func token(user: String, role: String, _ more: [String]) async throws -> String {
        let run = try await ProgramRun(
            "hauld", ["token", "add", "--config", config, "--user", user, "--role", role] + more)
        guard run.code == 0 else { throw Failure(description: "token add exited \(run.code): \(run.errors)") }
        return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
