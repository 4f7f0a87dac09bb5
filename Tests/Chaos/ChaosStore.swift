import HaulPlayground
import Support

/// What the server under test keeps its state in.
enum ChaosStore: Sendable, CaseIterable, CustomStringConvertible {
    case sqlite
    /// A server of its own, which can be killed.
    case postgresql

    var description: String {
        switch self {
        case .sqlite: "SQLite"
        case .postgresql: "PostgreSQL"
        }
    }

    /// Writes itself into the configuration of a server that was not started yet.
    ///
    /// - Returns: the database's own server, where it has one: the caller's to stop.
    func prepare(_ settings: inout LiveServer.Settings) async throws -> PostgresCluster? {
        switch self {
        case .sqlite:
            settings.store = "state/haul.sqlite"
            return nil
        case .postgresql:
            // On disk before it is said: it is going to be killed.
            let cluster = try await PostgresCluster.start(isDurable: true)
            settings.store = try await cluster.makeDatabase("haul")
            return cluster
        }
    }
}
