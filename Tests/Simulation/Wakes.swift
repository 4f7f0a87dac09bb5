import HaulModel

@testable import HaulEngine
@testable import HaulStore

/// Whether claims that are parked would be woken: nothing parks where the clock is not real, so that it is asked what a
/// parked claim would have found, and whether its bell rang.
struct Wakes {
    private let time: Timestamp
    private let engines: [Engine]
    private let rings: [Int]
    private let hadWork: Bool

    /// How it stands before a step.
    init(_ servers: [SimulatedServer]) async throws {
        engines = servers.map(\.engine)
        rings = engines.map(\.workBell.rings)
        time = engines[0].world.now()
        hadWork = try await Self.hasWork(servers, time)
    }

    /// After it: work that was not there before has been rung for. What comes with time alone is a duty's to ring for; and
    /// what was parked at a server that died has to come again.
    func faults(_ servers: [SimulatedServer]) async throws -> [String] {
        guard !hadWork, engines[0].world.now() == time, zip(engines, servers).allSatisfy({ $0 === $1.engine }),
            rings == engines.map(\.workBell.rings), try await Self.hasWork(servers, time)
        else { return [] }
        return ["there is work that was not there before, and no bell rang"]
    }

    /// Something waits that could be handed out, to whoever asks; breakers whose time comes just now are still shut.
    private static func hasWork(_ servers: [SimulatedServer], _ time: Timestamp) async throws -> Bool {
        guard let engine = servers.first(where: \.isUp)?.engine else { return false }
        return try await engine.store.read { reader in
            let gates = try Gates(reader, engine, now: time.adding(seconds: -0.001))
            return try engine.hasOpenWork(reader, gates)
        }
    }
}
