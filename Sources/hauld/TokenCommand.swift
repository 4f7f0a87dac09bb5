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
        var spec: TokenSpec
        /// For how long it is good; nil is for ever.
        var days: Double?
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
        return try await Server.withStore(config) { store in
            let now = World.real.now()
            var spec = request.spec
            spec.expires = request.days.map { now.adding(seconds: $0 * 86_400) }
            return try await AccessToken.add(spec, to: store, user: request.user, now: now)
        }
    }

    /// - Returns: a line a token, under a line of headings.
    func list(user: String?) async throws -> String {
        let tokens = try await Server.withStore(config) { try await AccessToken.list(in: $0, user: user) }
        return (["ID\tUSER\tROLE\tNAME\tMADE\tEXPIRES\tREVOKED\tRESTRICTED TO"] + tokens.map(Self.line)).joined(
            separator: "\n")
    }

    /// - Returns: a line a token.
    /// - Throws: `StartError` where there is no such token.
    func revoke(_ choice: Choice) async throws -> String {
        let selections: [TokenSelection] =
            switch choice {
            case .ids(let ids): ids.map { .id($0) }
            case .user(let name, let role): [.user(name, role)]
            case .file(let path): [.token(try SecretFile.read(path, "token"))]
            }
        let lines = try await Server.withStore(config) { store in
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

    private static func nothing(for selection: TokenSelection) -> String {
        switch selection {
        case .token: "there is no such token: nothing was revoked"
        case .id(let id): "there is no token \(id); hauld token list shows them"
        case .user(let name, let role):
            "user \(name) has no token\(role.map { " of role \($0.rawValue)" } ?? "") that is not revoked"
        }
    }

    private static func line(_ token: KnownToken) -> String {
        let (record, spec) = (token.record, token.record.spec)
        let restrictions = [
            spec.scopes.map { "scopes=" + $0.map(\.rawValue).sorted().joined(separator: ",") },
            spec.sites.map { "sites=" + $0.map(String.init).joined(separator: ",") },
            spec.queues.map { "queues=" + $0.joined(separator: ",") },
            spec.users.map { "users=" + $0.joined(separator: ",") },
        ].compactMap { $0 }
        return [
            "\(record.id)", record.user.name, record.role.rawValue, spec.name.isEmpty ? "-" : spec.name,
            token.made.text,
            spec.expires?.text ?? "-", token.revoked?.text ?? "-",
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
