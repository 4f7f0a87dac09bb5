import HaulAuth
import HaulEngine

/// `hauld vault add`, `rotate` and `retire`: on the database and the key file themselves, also while servers use them.
struct VaultCommand {
    enum Verb: String, Sendable, CaseIterable { case add, rotate, retire }

    let config: ServerConfig

    /// - Returns: a line about what was done.
    func run(_ verb: Verb) async throws -> String {
        guard let path = config.vault else {
            throw StartError(message: "the configuration names no vault: nothing is sealed")
        }
        return try await Server.withStore(config) { store in
            let keys = VaultKeys(path)
            let vault = Vault(store: store, keys: keys, allKinds: [], now: World.real.now, kinds: { _ in [] })
            do {
                try await Vault.open(keys, store: store)
                switch verb {
                case .add:
                    try vault.addKey()
                    return "\(path) has a new key: give it to all servers of the database, then hauld vault rotate"
                case .rotate:
                    return "\(try await vault.rotate()) credentials are sealed with the newest key of \(path); the old "
                        + "ones stay there until hauld vault retire"
                case .retire: return "\(try await vault.retire()) old keys were dropped from \(path)"
                }
            } catch let problem as VaultProblem {
                throw StartError(message: problem.description)
            } catch CredentialRefusal.unreadable(let cause) {
                throw StartError(message: cause)
            }
        }
    }
}
