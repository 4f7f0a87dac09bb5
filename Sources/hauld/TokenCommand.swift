import Foundation
import HaulAuth
import HaulCrypto
import HaulEngine
import HaulModel
import HaulStore

/// `hauld token add`.
struct TokenCommand {
    struct Request: Sendable {
        var user: String
        var role: Role
        var sites: [Int]?
        var queues: [String]?
        var users: [String]?
    }

    let config: ServerConfig

    /// - Returns: the token, which is shown once.
    func add(_ request: Request) async throws -> String {
        if let problem = AccessToken.problem(withUser: request.user) { throw UsageError(message: problem) }
        guard Sodium.start() else { throw StartError(message: "libsodium found no source of randomness") }
        let store = try Server.openStore(config)
        do {
            return try await AccessToken.add(
                to: store, user: request.user, role: request.role, sites: request.sites, queues: request.queues,
                users: request.users, now: World.real.now())
        } catch let error as StoreError {
            throw StartError(error, store: config.store)
        }
    }
}
