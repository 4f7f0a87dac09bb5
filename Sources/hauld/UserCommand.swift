import HaulAuth
import HaulCrypto
import HaulEngine
import HaulModel
import HaulStore

/// `hauld user add` and `change`: on the database itself, also while servers use it.
struct UserCommand {
    struct Request: Sendable {
        var name: String
        var role: Role?
        var passwordFile: String?
        var isDisabled: Bool?
        var groups: [String]?
    }

    let config: ServerConfig

    /// - Returns: a line about the user.
    func run(_ request: Request, changes: Bool) async throws -> String {
        if let problem = AccessToken.problem(withUser: request.name) { throw UsageError(message: problem) }
        let password = try request.passwordFile.map { try SecretFile.read($0, "password") }
        if let password, let problem = Logins.problem(with: password, of: request.name) {
            throw UsageError(message: "the password \(problem)")
        }
        return try await Server.withStore(config) { store in
            let accounts = Authenticator(store: store, now: World.real.now).accounts
            do {
                let account =
                    changes
                    ? try await accounts.change(
                        request.name, role: request.role, password: password.map { .some($0) },
                        isDisabled: request.isDisabled, groups: request.groups, by: .console)
                    : try await accounts.add(
                        request.name, role: request.role ?? .user, password: password, by: .console)
                return Self.line(account)
            } catch AccountRefusal.exists(let name) {
                throw StartError(message: "there is a user \(name) already; hauld user change changes them")
            } catch AccountRefusal.noUser(let name) {
                throw StartError(message: "there is no user \(name); hauld user add makes one")
            }
        }
    }

    private static func line(_ account: Account) -> String {
        [
            account.user.name, account.role.rawValue, account.password == nil ? "no password" : "password",
            account.disabled == nil ? "enabled" : "disabled",
        ].joined(separator: "\t")
    }
}
