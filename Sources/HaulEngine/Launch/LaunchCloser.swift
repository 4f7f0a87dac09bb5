import HaulModel
import HaulStore

/// Sees to launches that no server here can see: nothing is started any more, or in another kind of place.
struct LaunchCloser: Duty {
    let engine: Engine
    let name = "launches"
    let period = 30.0
    var bell: Bell { engine.launchBell }

    func run() async throws -> Bool {
        for launch in try await engine.openLaunches() where launch.isOut { try await settle(launch) }
        return false
    }

    func settle(_ launch: Launch) async throws {
        guard try await !engine.lives(launch) else { return }
        switch launch.kind {
        case .server, nil: try await engine.note(.lost, of: launch.key, LaunchMachine.Policy())
        case .cluster:
            // It may go on. One that nobody wants finds its token worth nothing, and ends by itself.
            guard launch.isUnwanted else { return }
            try await engine.note(.finished(nil), of: launch.key, LaunchMachine.Policy())
        }
    }
}

extension Engine {
    /// All that have not ended, by id.
    func openLaunches() async throws -> [Launch] {
        let limit = configuration.dutyPiece
        var all: [Launch] = []
        while true {
            let after = all.last?.id ?? 0
            let page = try await store.read { try $0.openLaunches(after: after, limit: limit) }
            all += page
            if page.count < limit { return all }
        }
    }

    /// Whether the run of the server that took a launch is heard of.
    func lives(_ launch: Launch) async throws -> Bool {
        guard let id = launch.server, let server = try await store.read({ try $0.server(id) }),
            server.run == launch.run
        else { return false }
        return world.now().seconds(since: server.seen) <= configuration.serverSilenceSeconds
    }
}
