import HaulAuth
import HaulEngine

/// `hauld vault rotate` and `retire`: on the database and the key file themselves, also while servers use them.
struct VaultCommand {
    let config: ServerConfig

    /// - Returns: a line about what was done.
    func run(retires: Bool) async throws -> String {
        guard let path = config.vault else {
            throw StartError(message: "the configuration names no vault: nothing is sealed")
        }
        return try await Server.withStore(config) { store in
            let keys = VaultKeys(path)
            let vault = Vault(store: store, keys: keys, allKinds: [], now: World.real.now, kinds: { _ in [] })
            do {
                try await Vault.open(keys, store: store)
                guard retires else {
                    let count = try await vault.rotate()
                    return "\(count) credentials are sealed with the new key of \(path); the old ones stay there until "
                        + "hauld vault retire: other servers of the database need the new file first"
                }
                return "\(try await vault.retire()) old keys were dropped from \(path)"
            } catch let problem as VaultProblem {
                throw StartError(message: problem.description)
            } catch CredentialRefusal.unreadable(let cause) {
                throw StartError(message: cause)
            }
        }
    }
}
