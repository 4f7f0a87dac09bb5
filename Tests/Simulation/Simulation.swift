import Foundation
import HaulModel
import HaulStore
import Support

@testable import HaulEngine

/// A world of users, workers and crashes, all of it from one seed: the same seed does the same again.
final class Simulation {
    let chance: Seeded
    let clock = SimulatedClock()
    let record = Record()
    private let places = SimulatedPlaces()
    private let network = SimulatedNetwork()
    private let folder: String
    /// One, or two over one database and one folder of logs.
    let servers: [SimulatedServer]
    private(set) var users: [User] = []
    private var workers: [SimulatedWorker] = []
    var registrations = Registrations()
    /// Steps for which disks are still full, and for which the servers can't reach each other.
    private var fullSteps = 0
    private var cutSteps = 0
    /// Several expansions of a step are under way at once, in no certain order: then nothing comes in between.
    private let isWide: Bool
    /// It is looked after each step whether parked claims would have been woken.
    private let isWatched: Bool

    /// What was found.
    struct Findings {
        /// What did not hold, first of all when; nothing where all did.
        var violations: [String] = []
        /// What ended the world that should not have been thrown.
        var failure: (any Error)?

        var all: [String] { violations + (failure.map { ["\($0)"] } ?? []) }
    }

    init(seed: UInt64, mutation: Mutation? = nil) async throws {
        chance = Seeded(seed)
        // In memory: what is at stake here is not the disk.
        let root = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        folder = "\(root)/haul-simulation-\(seed)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let count = seed % 3 == 0 ? 2 : 1
        isWatched = seed % 4 == 1
        isWide = count == 1 && chance.percent(30)
        let surroundings = SimulatedServer.Surroundings(
            folder: folder, location: StoreLocation(try await TestDatabase.make(file: folder + "/haul.sqlite")),
            chance: chance, clock: clock, network: network, isAlone: count == 1, expansions: isWide ? 8 : 1)
        var servers: [SimulatedServer] = []
        for number in 1...count {
            servers.append(try await SimulatedServer(number, surroundings, mutation: mutation))
        }
        self.servers = servers
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func run(steps: Int) async throws -> Findings {
        try await populate()
        for step in 0..<steps {
            var isBroken = false
            for server in servers { server.disk.begin(.room) }
            let wakes = isWatched ? try await Wakes(servers) : nil
            do { try await happen() } catch  where isExplained(error) {
                // Whoever it was was told so, or heard nothing; of what was refused nothing shall be left.
                isBroken = true
            } catch {
                return Findings(violations: try await violations("step \(step)"), failure: error)
            }
            let hasDied = try await raiseTheDead()
            if !hasDied { for fault in try await wakes?.faults(servers) ?? [] { record.isWrong(fault) } }
            clock.advance(seconds: Double(chance.number(0...3)))
            if hasDied || isBroken || step % 10 == 9 {
                let found = try await violations("step \(step)")
                if !found.isEmpty { return Findings(violations: found) }
            }
        }
        do { return Findings(violations: try await settle()) } catch {
            return Findings(violations: try await violations("settling"), failure: error)
        }
    }

    /// What chance would give next: the same after the same history.
    var fingerprint: UInt64 { chance.next() }

    /// A server that answers: there is always one.
    var server: SimulatedServer { chance.pick(servers.filter(\.isUp)) ?? servers[0] }

    private func violations(_ when: String) async throws -> [String] {
        guard let server = servers.first(where: \.isUp) else { return ["\(when): no server is up"] }
        return try await Invariants.violations(server.engine.store, record).map { "\(when): \($0)" }
    }

    private func isExplained(_ error: any Error) -> Bool {
        error is ServerDied || servers.contains { $0.disk.explains(error) }
            || servers.count > 1 && EngineError.saysLater(error)
    }

    private func populate() async throws {
        let (now, store) = (clock.now, servers[0].engine.store)
        for name in ["alice", "bob", "carol"] {
            users.append(try await store.write { try $0.user(named: name, now: now) })
        }
        for number in 0..<3 {
            let hash = chance.bytes(32)
            let bearer = try await store.write { writer -> TokenRecord? in
                let user = try writer.user(named: "worker", now: now)
                try writer.addToken(TokenSpec(role: .worker), hash: hash, user: user, now: now)
                return try writer.reader.token(hash: hash)
            }
            guard let bearer else { throw StoreError.failed("no token") }
            workers.append(SimulatedWorker(name: "w\(number)", bearer: bearer, chance: chance, places: places))
        }
    }

    private func happen() async throws {
        fullSteps = max(0, fullSteps - 1)
        cutSteps = max(0, cutSteps - 1)
        network.cut(cutSteps > 0)
        switch chance.number(0...99) {
        case 0...9: try await asking { try await self.register(at: $0) }
        case 10...13: try await asking { try await self.control(at: $0) }
        case 14: try await server.restart()
        case 15: cutSteps = chance.number(1...60)
        case 16...17: clock.advance(seconds: Double(chance.number(60...200)))
        case 18: clock.advance(seconds: Double(chance.number(3600...90_000)))
        case 19: clock.advance(seconds: -Double(chance.number(1...30)))
        case 20:
            // A site goes down, or is there again.
            places.down = Set([chance.number(1...3), chance.number(1...9)])
        case 21: fullSteps = chance.number(5...40)
        case 22...44: try await runDuties()
        default:
            guard let worker = chance.pick(workers) else { return }
            try await asking { try await worker.step($0, self.record) }
        }
    }

    /// Somebody asks one of the servers for something.
    private func asking(_ what: (SimulatedServer) async throws -> Void) async throws {
        let server = server
        server.disk.meet(fate(of: nil))
        try await what(server)
    }

    /// A piece of each duty of each server, in turns, and now and then what a worker asks for meanwhile.
    private func runDuties() async throws {
        var parts: [() async throws -> Void] = servers.filter(\.isUp).map { server in
            { try await server.runDuties(self.record) { self.fate(of: $0) } }
        }
        if !isWide, chance.percent(50), let worker = chance.pick(workers) {
            let server = server
            parts.append { try await worker.step(server, self.record) }
        }
        try await Turns.take(parts, chance)
    }

    /// What the disk does to what is done next, of a duty or of whoever asks: while it is full there is room for some things
    /// still.
    private func fate(of duty: (any Duty)?) -> SimulatedDisk.Fate {
        if chance.number(0...999) < (duty == nil ? 25 : 8), !(isWide && duty is Expander) {
            return chance.percent(60) ? .dies(after: chance.number(0...8)) : .diesUnheard(after: chance.number(0...1))
        }
        guard fullSteps > 0 else { return .room }
        return switch chance.number(0...9) {
        case 0...2: .noCommit
        case 3...4: duty != nil ? .noCommit : .noStatement(after: chance.number(0...6))
        case 5...6: .noLog(permille: chance.number(0...999))
        case 7: .nothing
        default: .room
        }
    }

    /// Servers that died are started again, at once or later; one is up at any time.
    ///
    /// - Returns: true where one had died.
    private func raiseTheDead() async throws -> Bool {
        for server in servers { try await server.passStep() }
        let dead = servers.filter(\.disk.isDead).filter { !$0.isAway }
        for server in dead {
            if servers.contains(where: \.isUp), chance.percent(40) {
                server.stayAway(steps: chance.number(1...60))
            } else {
                try await server.restart()
            }
        }
        if !dead.isEmpty { try await findUncertain() }
        return !dead.isEmpty
    }

    /// Rounds, of a second each, after which no job may be past its time.
    private static let overdueRounds = 50

    /// From here on all behave: then everything has to come to its end.
    private func settle() async throws -> [String] {
        network.cut(false)
        for server in servers {
            if !server.isUp { try await server.restart() }
            server.disk.begin(.room)
        }
        while !registrations.refused.isEmpty { try await registerRefused(at: servers[0]) }
        for user in users {
            _ = try await servers[0].engine.change(queue: "q1", ofUser: user.id, isPaused: false)
        }
        places.down = []
        // One never comes back: what it holds is free once its lease is over.
        workers.removeLast()
        for worker in workers { worker.behaves = true }
        for round in 0..<4000 {
            let server = servers[round % servers.count]
            try await server.runDuties(record)
            for worker in workers { try await worker.step(server, record) }
            clock.advance(seconds: 1)
            guard round % 20 == 19 else { continue }
            var found = try await violations("settling")
            // By now the duties of each server went over all jobs.
            if round >= Self.overdueRounds {
                let past = clock.now.adding(seconds: -Double(Self.overdueRounds))
                found += try await Invariants.overdue(server.engine.store, record, past)
            }
            if !found.isEmpty { return found }
            if try await Invariants.leftovers(server.engine.store, record).isEmpty {
                return try await Invariants.records(server.engine, record)
            }
        }
        return try await Invariants.leftovers(servers[0].engine.store, record)
    }
}
