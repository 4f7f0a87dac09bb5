import Foundation
import HaulAuth
import HaulCrypto
import HaulEngine
import HaulModel
import HaulStore

/// What starts workers, as the configuration says.
struct Launching {
    let launcher: Launcher
    private let local: LocalWorkers?

    /// - Parameter url: where this server is reached.
    /// - Returns: nil where none are started.
    init?(_ config: ServerConfig, url: String, store: Store, log: @escaping @Sendable (String, String) -> Void)
        async throws
    {
        guard let launch = config.launch else { return nil }
        let fresh = Array(Text.hex(Random.bytes(6)).utf8)
        let database: [UInt8]
        do {
            database = try await store.write { try $0.setting("launch_name", initially: fresh) }
        } catch let error as StoreError {
            throw StartError(error, store: config.store)
        }
        let folder = try LaunchFolder(launch, url: url, database: String(decoding: database, as: UTF8.self))
        let place: any WorkerPlace
        switch launch.by {
        case .local:
            let workers = LocalWorkers(folder, log: log)
            local = workers
            place = workers
        case .slurm:
            local = nil
            if let host = URL(string: folder.url)?.host(), ["localhost", "127.0.0.1", "::1", "[::1]"].contains(host) {
                log("launched workers reach hauld from this machine alone", "url=\(folder.url) key=launch.url")
            }
            place = try SlurmWorkers(launch, folder, log: log)
        }
        launcher = Launcher(
            place: place, most: launch.workers, perUser: launch.perUser,
            policy: LaunchMachine.Policy(
                tries: launch.tries, retry: RetryPolicy(base: config.retry.base, maximum: config.retry.maximum)),
            newToken: { AccessToken.make() })
    }

    /// Ends what ends with this server.
    func stop() async { await local?.endAll() }
}
