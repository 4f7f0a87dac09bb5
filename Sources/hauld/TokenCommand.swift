import Foundation
import HaulAuth
import HaulCrypto
import HaulEngine
import HaulModel
import HaulStore

/// `hauld token add`, `list` and `revoke`: on the database itself, also while servers use it.
struct TokenCommand {
    struct Request: Sendable {
        var user: String
        var role: Role
        var sites: [Int]?
        var queues: [String]?
        var users: [String]?
    }

    /// Which tokens are to be revoked.
    enum Choice: Sendable {
        case ids([Int])
        case user(String, Role?)
        /// The file that holds the token; `-` is standard input. In an argument everybody could read it.
        case file(String)
    }

    let config: ServerConfig

    /// - Returns: the token, which is shown once.
    func add(_ request: Request) async throws -> String {
        if let problem = AccessToken.problem(withUser: request.user) { throw UsageError(message: problem) }
        return try await withStore { store in
            try await AccessToken.add(
                to: store, user: request.user, role: request.role, sites: request.sites, queues: request.queues,
                users: request.users, now: World.real.now())
        }
    }

    /// - Returns: a line a token, under a line of headings.
    func list(user: String?) async throws -> String {
        let tokens = try await withStore { try await AccessToken.list(in: $0, user: user) }
        return (["ID\tUSER\tROLE\tMADE\tREVOKED\tRESTRICTED TO"] + tokens.map(Self.line)).joined(separator: "\n")
    }

    /// - Returns: a line a token.
    /// - Throws: `StartError` where there is no such token.
    func revoke(_ choice: Choice) async throws -> String {
        let selections: [TokenSelection] =
            switch choice {
            case .ids(let ids): ids.map { .id($0) }
            case .user(let name, let role): [.user(name, role)]
            case .file(let path): [.token(try Self.token(in: path))]
            }
        let lines = try await withStore { store in
            var lines: [String] = []
            for selection in selections {
                let revoked = try await AccessToken.revoke(selection, in: store, now: World.real.now())
                if revoked.isEmpty { throw StartError(message: Self.nothing(for: selection)) }
                lines += revoked.map(Self.line)
            }
            return lines
        }
        return lines.joined(separator: "\n")
    }

    private func withStore<T>(_ body: (Store) async throws -> T) async throws -> T {
        guard Sodium.start() else { throw StartError(message: "libsodium found no source of randomness") }
        let store = try Server.openStore(config)
        do { return try await body(store) } catch let error as StoreError {
            throw StartError(error, store: config.store)
        }
    }

    private static func token(in path: String) throws -> String {
        let data =
            path == "-" ? (try? FileHandle.standardInput.readToEnd()) : FileManager.default.contents(atPath: path)
        guard let data else { throw StartError(message: "\(path): cannot be read") }
        let token = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty else { throw StartError(message: "\(path): holds no token") }
        return token
    }

    private static func nothing(for selection: TokenSelection) -> String {
        switch selection {
        case .token: "there is no such token: nothing was revoked"
        case .id(let id): "there is no token \(id); hauld token list shows them"
        case .user(let name, let role):
            "user \(name) has no token\(role.map { " of role \($0.rawValue)" } ?? "") that is not revoked"
        }
    }

    private static func line(_ token: KnownToken) -> String {
        let record = token.record
        let restrictions = [
            record.sites.map { "sites=" + $0.map(String.init).joined(separator: ",") },
            record.queues.map { "queues=" + $0.joined(separator: ",") },
            record.users.map { "users=" + $0.joined(separator: ",") },
        ].compactMap { $0 }
        return [
            "\(record.id)", record.user.name, record.role.rawValue, token.made.text, token.revoked?.text ?? "-",
            restrictions.isEmpty ? "-" : restrictions.joined(separator: " "),
        ].joined(separator: "\t")
    }

    private static func line(_ revoked: RevokedToken) -> String {
        let record = revoked.token.record
        let which = "token \(record.id) (\(record.user.name), \(record.role.rawValue))"
        guard let sessions = revoked.endedSessions else { return "\(which) had been revoked before" }
        return "\(which) revoked; sessions of workers that ended with it: \(sessions)"
    }
}
