import Foundation
import HaulModel
import Support
import Synchronization
import Testing

/// Real servers, workers, backends and files, and what can happen to each while users are at work: afterwards every file
/// is there once, byte for byte, and every job has ended.
///
/// What happens when comes from a seed, which a failure names: `HAUL_CHAOS_SEED=N` takes it again, though real programs
/// are not as punctual as simulated ones. `HAUL_CHAOS_SECONDS=N` is how long `everything` goes on.
@Suite(.serialized, .timeLimit(.minutes(60))) struct ChaosTests {
    private static let environment = ProcessInfo.processInfo.environment

    private static var seed: UInt64 {
        environment["HAUL_CHAOS_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...1_000_000)
    }

    /// Users at work while misfortunes strike one after the other; then all has to come to its end.
    private func chaos(
        _ options: ChaosWorld.Options, mayFail: String? = nil, jobs: Int = 25,
        _ strike: @escaping @Sendable (ChaosWorld, Seeded) async throws -> Void
    ) async throws {
        let seed = Self.seed
        let chance = Seeded(seed)
        let world = try await ChaosWorld.start(options)
        do {
            let load = try await ChaosLoad(world, chance)
            let isOver = Flag()
            let users = Seeded(chance.next())
            try await withThrowingTaskGroup { group in
                group.addTask { try await load.run(users, most: jobs) { isOver.isSet } }
                group.addTask {
                    defer { isOver.set() }
                    try await strike(world, chance)
                }
                try await group.waitForAll()
            }
            try await load.finish(mayFail: mayFail, within: .seconds(90))
            let problems = try await ChaosCheck(world: world, load: load, isRetried: mayFail != nil).problems()
            #expect(
                problems.isEmpty,
                "seed \(seed), \(options.store): \(problems.prefix(10).joined(separator: "\n"))\n\(tails(world))")
            print("chaos: seed \(seed), \(load.registered.count) jobs")
        } catch {
            Issue.record("seed \(seed), \(options.store): \(error)\n\(tails(world))")
        }
        if let keep = Self.environment["HAUL_CHAOS_KEEP"] {
            try FileManager.default.copyItem(atPath: world.server.folder, toPath: "\(keep)/\(seed)")
        }
        await world.remove()
    }

    /// The ends of the programs' logs.
    private func tails(_ world: ChaosWorld) -> String {
        return ([("hauld", world.server.log)] + world.workers.map { ($0.settings.name, $0.log) })
            .map { "--- \($0)\n\($1.suffix(1500))" }.joined(separator: "\n")
    }

    /// A pause of chance between two misfortunes: the load goes on.
    private static func breathe(_ chance: Seeded) async throws {
        try await Task.sleep(for: .milliseconds(chance.number(100...1200)))
    }

    private func repeated(
        _ misfortune: Misfortune, _ times: Int, store: ChaosStore,
        _ change: (inout ChaosWorld.Options) -> Void = { _ in }
    ) async throws {
        var options = ChaosWorld.Options(store: store)
        change(&options)
        try await chaos(options, mayFail: misfortune == .destinationFull ? "no_space" : nil) { world, chance in
            var hits = 0
            for _ in 0..<times {
                try await Self.breathe(chance)
                if try await misfortune.strike(world, chance) { hits += 1 }
            }
            #expect(hits > 0, "there was nothing to strike")
        }
    }

    @Test(arguments: ChaosStore.allCases) func serverIsKilled(_ store: ChaosStore) async throws {
        try await repeated(.serverKilled, 4, store: store)
    }

    @Test func databaseIsKilled() async throws {
        try await repeated(.databaseKilled, 4, store: .postgresql)
    }

    @Test(arguments: [ChaosStore.sqlite]) func workersAreKilled(_ store: ChaosStore) async throws {
        try await repeated(.workerKilled, 6, store: store)
    }

    @Test(arguments: [ChaosStore.sqlite]) func backendsAreKilled(_ store: ChaosStore) async throws {
        try await repeated(.backendKilled, 12, store: store)
    }

    @Test(arguments: [ChaosStore.sqlite]) func workersAreStopped(_ store: ChaosStore) async throws {
        try await repeated(.workerStopped, 2, store: store)
    }

    @Test(arguments: [ChaosStore.sqlite]) func workersAreFrozen(_ store: ChaosStore) async throws {
        // Nobody waits for the frozen ones: what they held is done by others, with the next try.
        try await repeated(.workerFrozen, 3, store: store) { $0.maxTries = 3 }
    }

    @Test(arguments: ChaosStore.allCases) func serverIsStopped(_ store: ChaosStore) async throws {
        try await repeated(.serverStopped, 2, store: store)
    }

    @Test(arguments: [ChaosStore.sqlite]) func serversDiskIsFull(_ store: ChaosStore) async throws {
        try await repeated(.stateDiskFull, 3, store: store) { $0.stateDisk = 64 << 10 }
    }

    /// What has no space fails for good, and is there once its user asks again.
    @Test(arguments: [ChaosStore.sqlite]) func destinationIsFull(_ store: ChaosStore) async throws {
        try await repeated(.destinationFull, 3, store: store) { $0.destinationDisk = 256 << 10 }
    }

    @Test(arguments: [Misfortune.networkDown, .networkSilent]) func networkIsCut(_ misfortune: Misfortune) async throws
    {
        let network = try await Network.open()
        try await repeated(misfortune, 1, store: .sqlite) { $0.network = network }
        await network.remove()
    }

    /// One thing after the other, and sometimes two at once.
    @Test(arguments: ChaosStore.allCases) func everything(_ store: ChaosStore) async throws {
        let seconds = Self.environment["HAUL_CHAOS_SECONDS"].flatMap { Double($0) } ?? 10
        let options = ChaosWorld.Options(store: store, stateDisk: 256 << 10)
        try await chaos(options, jobs: max(25, Int(seconds) * 2)) { world, chance in
            let deadline = ContinuousClock.now + .seconds(seconds)
            let possible = Misfortune.allCases.filter { $0.fits(world) }
            while ContinuousClock.now < deadline {
                guard let one = chance.pick(possible), let other = chance.pick(possible) else { return }
                let (firstChance, otherChance) = (Seeded(chance.next()), Seeded(chance.next()))
                async let first = one.strike(world, firstChance)
                // Two of a kind would start what the other has just started.
                if one != other, chance.percent(30) { try await other.strike(world, otherChance) }
                _ = try await first
                try await Self.breathe(chance)
            }
        }
    }
}

/// Says once that something is so.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .relaxed) }
    func set() { value.store(true, ordering: .relaxed) }
}
