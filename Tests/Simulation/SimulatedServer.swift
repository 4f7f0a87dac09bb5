import Foundation
import HaulModel
import Support
import Synchronization

@testable import HaulEngine
@testable import HaulLogs
@testable import HaulStore

/// The real engine over the real store and logs, under a clock and a chance of the simulation's own. It can be killed
/// at any moment; the next one finds what was on disk.
final class SimulatedServer {
    let folder: String
    private let location: StoreLocation
    private let chance: Seeded
    private let clock: SimulatedClock
    let disk: SimulatedDisk
    private(set) var engine: Engine
    /// What they keep in memory lives as long as the process.
    private var duties: [any Duty] = []

    static let sites = [
        Site(id: 1, name: "s1", protocolName: .ssh, endpoints: [], limits: .init(out: 3)),
        Site(id: 2, name: "s2", protocolName: .ssh, endpoints: [], limits: .init(into: 2, out: 4)),
        Site(id: 3, name: "s3", protocolName: .ssh, endpoints: []),
    ]
    static let runningPerUser = 5

    init(folder: String, chance: Seeded, clock: SimulatedClock, mutation: Mutation?) async throws {
        self.folder = folder
        location = StoreLocation(try await TestDatabase.make(file: folder + "/haul.sqlite"))
        self.chance = chance
        self.clock = clock
        disk = SimulatedDisk(mutation)
        engine = try await Self.start(folder, location, chance, clock, disk)
        makeDuties()
    }

    /// As if the process had died, and somebody had started it again.
    func restart() async throws {
        // What it writes when it starts is there already, and needs no room.
        disk.meet(.room)
        engine = try await Self.start(folder, location, chance, clock, disk)
        makeDuties()
    }

    private func makeDuties() {
        duties = [
            Rescuer(engine: engine), RetryLater(engine: engine), Expander(engine: engine), DepthOpener(engine: engine),
            Sweeper(engine: engine), Pruner(engine: engine), Prober(engine: engine),
        ]
    }

    private static func start(
        _ folder: String, _ location: StoreLocation, _ chance: Seeded, _ clock: SimulatedClock, _ disk: SimulatedDisk
    ) async throws -> Engine {
        var configuration = EngineConfiguration()
        configuration.expansionPiece = 3
        configuration.dutyPiece = 4
        configuration.retry = RetryPolicy(base: 2, maximum: 30, forgivenLosses: 3)
        configuration.breaker = BreakerPolicy(failures: 2, base: 4, maximum: 60)
        configuration.runningPerUser = runningPerUser
        return try await Engine(
            store: Store(at: location, readers: 1, rewriting: disk.statement) { _ in },
            logs: LogStore(root: folder + "/logs", limits: LogLimits(), room: disk.room),
            rules: RegistrationRules(sites: SiteDirectory(sites)) { _ in CommonOptions.specs },
            configuration: configuration, world: World(now: { clock.now }, random: { chance.bytes($0) }),
            onDiskFailure: { _ in })
    }

    /// A piece of each duty, in an order of chance; a crash may come in between.
    ///
    /// - Parameter fate: what the disk does to each.
    func runDuties(_ fate: () -> SimulatedDisk.Fate = { .room }) async throws {
        var duties = duties
        while let duty = chance.pick(duties) {
            duties.removeAll { $0.name == duty.name }
            disk.meet(fate())
            do { _ = try await duty.run() } catch  where disk.explains(error) {
                // It is tried again when its time comes.
            }
        }
    }
}

/// A clock that moves when the simulation says so.
final class SimulatedClock: Sendable {
    private let milliseconds = Mutex(1_700_000_000_000)

    var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }
    func advance(seconds: Double) { milliseconds.withLock { $0 += Int(seconds * 1000) } }
}
