import HaulModel
import Support
import Synchronization

@testable import HaulEngine
@testable import HaulLogs
@testable import HaulStore

/// The server died before it answered: what it did until then is on disk.
struct ServerDied: Error {}

/// The real engine over the real store and logs, under a clock and a chance of the simulation's own. It can be killed
/// at any moment; the next one finds what was on disk.
final class SimulatedServer {
    /// What the servers of a world share.
    struct Surroundings {
        var folder: String
        var location: StoreLocation
        var chance: Seeded
        var clock: SimulatedClock
        var network: SimulatedNetwork
        /// There is but one of them.
        var isAlone: Bool
        /// Pieces of expansions that are under way at once.
        var expansions: Int
    }

    private let number: Int
    private let surroundings: Surroundings
    let disk: SimulatedDisk
    private(set) var engine: Engine
    /// What they keep in memory lives as long as the process.
    private var duties: [any Duty] = []
    /// Steps for which it stays away after it died.
    private var stepsAway = 0

    static let sites = [
        Site(id: 1, name: "s1", protocolName: .ssh, endpoints: [], limits: .init(out: 3)),
        Site(id: 2, name: "s2", protocolName: .ssh, endpoints: [], limits: .init(into: 2, out: 4)),
        Site(id: 3, name: "s3", protocolName: .ssh, endpoints: []),
    ]
    static let runningPerUser = 5
    /// Seconds for which ended jobs stay: a clock that jumps may pass them.
    static let keptSeconds = 60_000.0

    init(_ number: Int, _ surroundings: Surroundings, mutation: Mutation?) async throws {
        self.number = number
        self.surroundings = surroundings
        disk = SimulatedDisk(mutation)
        engine = try await Self.start(number, surroundings, disk)
        begin()
    }

    var isUp: Bool { !isAway && !disk.isDead }
    var isAway: Bool { stepsAway > 0 }
    var isAlone: Bool { surroundings.isAlone }

    /// As if the process had died, and somebody had started it again.
    func restart() async throws {
        stepsAway = 0
        // What it writes when it starts is there already, and needs no room.
        disk.revive()
        engine = try await Self.start(number, surroundings, disk)
        begin()
    }

    /// One that is dead stays so for so many steps.
    func stayAway(steps: Int) {
        stepsAway = steps
        surroundings.network.leave(engine.identity.id)
    }

    /// A step of the world is over.
    func passStep() async throws {
        guard stepsAway > 0 else { return }
        stepsAway -= 1
        if stepsAway == 0 { try await restart() }
    }

    private func begin() {
        surroundings.network.join(engine, disk)
        duties = [
            Rescuer(engine: engine), RetryLater(engine: engine),
            Expander(engine: engine, width: surroundings.expansions), DepthOpener(engine: engine),
            Sweeper(engine: engine), Pruner(engine: engine), Retirer(engine: engine), Prober(engine: engine),
            ServerBeat(engine: engine), ScratchTidier(engine: engine),
        ]
    }

    private static func start(
        _ number: Int, _ surroundings: Surroundings, _ disk: SimulatedDisk
    ) async throws -> Engine {
        var configuration = EngineConfiguration()
        configuration.expansionPiece = 3
        configuration.dutyPiece = 4
        configuration.retry = RetryPolicy(base: 2, maximum: 30, forgivenLosses: 3)
        configuration.breaker = BreakerPolicy(failures: 2, base: 4, maximum: 60)
        configuration.runningPerUser = runningPerUser
        configuration.keptSeconds = keptSeconds
        let (chance, clock) = (surroundings.chance, surroundings.clock)
        let store = try Store(
            at: surroundings.location, readers: 1, rewriting: disk.statement, committed: disk.committed,
            turn: Turns.pass
        ) { _ in }
        let run = "r\(chance.next())"
        let identity = try await store.write { writer in
            var found = try writer.findServer(id: nil, url: "http://server-\(number)", run: run, now: clock.now)
            (found.run, found.seen) = (run, clock.now)
            try writer.enterServer(found)
            return found
        }
        return try await Engine(
            store: store,
            logs: LogStore(
                root: surroundings.folder + "/logs", limits: LogLimits(), server: identity.id, room: disk.room),
            rules: RegistrationRules(sites: SiteDirectory(sites)) { _ in CommonOptions.specs },
            configuration: configuration, world: World(now: { clock.now }, random: { chance.bytes($0) }),
            identity: identity, others: surroundings.network, onDiskFailure: { _ in })
    }

    /// What a client hears of it: nothing once it died over it.
    func ask<Answer>(_ body: (Engine) async throws -> Answer) async throws -> Answer {
        guard isUp else { throw ServerDied() }
        do {
            let answer = try await body(engine)
            if disk.isDead { throw ServerDied() }
            return answer
        } catch {
            if disk.isDead { throw ServerDied() }
            throw error
        }
    }

    /// A piece of each duty, in an order of chance, to its end or the server's.
    ///
    /// - Parameter fate: what the disk does to each.
    func runDuties(_ record: Record, _ fate: (any Duty) -> SimulatedDisk.Fate = { _ in .room }) async throws {
        var duties = duties
        while let duty = surroundings.chance.pick(duties) {
            duties.removeAll { $0.name == duty.name }
            disk.meet(fate(duty))
            do {
                try await ask { engine in
                    if duty is Retirer {
                        let before = engine.world.now().adding(seconds: -Self.keptSeconds)
                        let jobs = try await engine.store.read { try $0.jobs(JobFilter(), after: 0, limit: 1_000_000) }
                        record.retiring(jobs, untouchedSince: before)
                    }
                    if duty is Sweeper {
                        let now = engine.world.now()
                        let jobs = try await engine.store.read { try $0.jobs(JobFilter(), after: 0, limit: 1_000_000) }
                        for job in jobs where job.destruction.map({ $0 <= now }) ?? false { record.wantedGone(job.id) }
                    }
                    _ = try await duty.run()
                }
            } catch is ServerDied {
                return
            } catch  where disk.explains(error) || !isAlone && EngineError.saysLater(error) {
                // It is tried again when its time comes.
            }
        }
    }
}

extension EngineError {
    /// What is said where another server is needed that can't be asked, or has no room.
    static func saysLater(_ error: any Error) -> Bool { (error as? EngineError)?.kind == .unavailable }
}

/// A clock that moves when the simulation says so.
final class SimulatedClock: Sendable {
    private let milliseconds = Mutex(1_700_000_000_000)

    var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }
    func advance(seconds: Double) { milliseconds.withLock { $0 += Int(seconds * 1000) } }
}
