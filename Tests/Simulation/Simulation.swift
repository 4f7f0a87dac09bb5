import Foundation
import HaulModel
import HaulStore
import Support

@testable import HaulEngine

/// A world of users, workers and crashes, all of it from one seed: the same seed does the same again.
final class Simulation {
    private let seed: UInt64
    private let chance: Seeded
    private let clock = SimulatedClock()
    private let record = Record()
    private let places = SimulatedPlaces()
    private let server: SimulatedServer
    private var users: [User] = []
    private var workers: [SimulatedWorker] = []
    private var keys: [(key: IdempotencyKey, requests: [JobRequest], user: User, ids: [Int])] = []
    /// Registrations that the server could not take: who sent a key asks again.
    private var refused: [(key: IdempotencyKey, requests: [JobRequest], user: User)] = []
    /// Steps for which the disk is still full.
    private var fullSteps = 0

    init(seed: UInt64, mutation: Mutation? = nil) async throws {
        self.seed = seed
        chance = Seeded(seed)
        // In memory: what is at stake here is not the disk.
        let root = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let folder = "\(root)/haul-simulation-\(seed)-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        server = try await SimulatedServer(folder: folder, chance: chance, clock: clock, mutation: mutation)
    }

    deinit { try? FileManager.default.removeItem(atPath: server.folder) }

    /// - Returns: what did not hold, first of all when; nothing where all did.
    func run(steps: Int) async throws -> [String] {
        try await populate()
        for step in 0..<steps {
            var isRefused = false
            do { try await happen() } catch  where server.disk.explains(error) {
                // Whoever it was was told so, and nothing shall be left of it.
                isRefused = true
            } catch {
                return ["step \(step): \(error)"]
            }
            if step % 10 == 9 || isRefused {
                let found = try await Invariants.violations(server.engine.store, record)
                if !found.isEmpty { return found.map { "step \(step): \($0)" } }
            }
        }
        return try await settle()
    }

    /// What chance would give next: the same after the same history.
    var fingerprint: UInt64 { chance.next() }

    private func populate() async throws {
        let now = clock.now
        for name in ["alice", "bob", "carol"] {
            users.append(try await server.engine.store.write { try $0.user(named: name, now: now) })
        }
        for number in 0..<3 {
            let hash = chance.bytes(32)
            let bearer = try await server.engine.store.write { writer -> TokenRecord? in
                let user = try writer.user(named: "worker", now: now)
                try writer.addToken(
                    hash: hash, user: user, role: .worker, sites: nil, queues: nil, users: nil, now: now)
                return try writer.reader.token(hash: hash)
            }
            guard let bearer else { throw StoreError.failed("no token") }
            workers.append(SimulatedWorker(name: "w\(number)", bearer: bearer, chance: chance, places: places))
        }
    }

    private func happen() async throws {
        fullSteps = max(0, fullSteps - 1)
        server.disk.meet(fate(isDuty: false))
        switch chance.number(0...99) {
        case 0...9: try await register()
        case 10...13: try await control()
        case 14...15: try await server.restart()
        case 16...17: clock.advance(seconds: Double(chance.number(60...200)))
        case 18: clock.advance(seconds: Double(chance.number(3600...90_000)))
        case 19: clock.advance(seconds: -Double(chance.number(1...30)))
        case 20:
            // A site goes down, or is there again.
            places.down = Set([chance.number(1...3), chance.number(1...9)])
        case 21: fullSteps = chance.number(5...40)
        case 22...44: try await server.runDuties { self.fate(isDuty: true) }
        default: try await chance.pick(workers)?.step(server.engine, record)
        }
        clock.advance(seconds: Double(chance.number(0...3)))
    }

    /// What the disk does to the next step: while it is full there is room for some things still.
    private func fate(isDuty: Bool) -> SimulatedDisk.Fate {
        guard fullSteps > 0 else { return .room }
        return switch chance.number(0...9) {
        case 0...2: .noCommit
        case 3...4: isDuty ? .noCommit : .noStatement(after: chance.number(0...6))
        case 5...6: .noLog(permille: chance.number(0...999))
        case 7: .nothing
        default: .room
        }
    }

    private func register() async throws {
        if !refused.isEmpty, chance.percent(50) { return try await registerRefused() }
        if let old = chance.pick(keys), chance.percent(20) {
            // Its answer was lost, it asks again.
            let ids = try await server.engine.register(old.requests, user: old.user, key: old.key).map(\.id)
            if ids != old.ids {
                // After a day it is another request.
                record.acknowledged(ids)
            }
            return
        }
        guard let user = chance.pick(users) else { return }
        let requests = try (0..<chance.number(1...3)).map { _ in try request() }
        let key = chance.percent(50) ? IdempotencyKey(key: "k\(chance.next())", request: chance.bytes(8)) : nil
        do {
            let ids = try await server.engine.register(requests, user: user, key: key).map(\.id)
            record.acknowledged(ids)
            if let key { keys.append((key, requests, user, ids)) }
        } catch {
            if let key { refused.append((key, requests, user)) }
            throw error
        }
    }

    /// The oldest registration that was refused, once more.
    private func registerRefused() async throws {
        guard let (key, requests, user) = refused.first else { return }
        let ids = try await server.engine.register(requests, user: user, key: key).map(\.id)
        refused.removeFirst()
        record.acknowledged(ids)
        keys.append((key, requests, user, ids))
    }

    private func request() throws -> JobRequest {
        let type = chance.pick(JobType.allCases) ?? .list
        var document: [String: JSONValue] = [
            "src_siteid": .int(chance.number(1...3)), "src_filepath": .string("/d\(chance.number(1...9))"),
            "dst_siteid": .int(chance.number(1...3)), "dst_filepath": .string("/e\(chance.number(1...9))"),
            "priority": .int(chance.number(0...9)), "max_tries": .int(chance.number(1...3)),
            "queue": .string("q\(chance.number(1...2))"),
        ]
        if chance.percent(10) { document["max_queue_time"] = .int(chance.number(10...5000)) }
        return try JobRequest(document, type: type, rules: server.engine.rules)
    }

    /// A user changes their mind.
    private func control() async throws {
        guard let job = chance.pick(record.jobs), let user = users.first else { return }
        let engine = server.engine
        do {
            switch chance.number(0...8) {
            case 0: _ = try await engine.cancel(job: job)
            case 1: _ = try await engine.cancel(element: chance.number(0...5), ofJob: job)
            case 2...3:
                record.wanted(again: job)
                _ = try await engine.retry(job: job, user: user, key: nil)
            case 7:
                _ = try await engine.change(
                    job: job,
                    JobChange(["label": .string("l\(chance.number(0...9))"), "keep": .bool(chance.percent(50))]))
            case 4:
                _ = try await engine.change(
                    job: job, JobChange(["priority": .int(chance.number(0...9)), "queue": "q3"]))
            case 5:
                let limit = chance.percent(30) ? nil : chance.number(1...4)
                _ = try await engine.change(queue: "q2", ofUser: user.id, limit: .some(limit))
            case 6: _ = try await engine.endSession(ofWorker: "w\(chance.number(0...2))")
            default: _ = try await engine.change(queue: "q1", ofUser: user.id, isPaused: chance.percent(30))
            }
        } catch let error as EngineError where error.kind != .unavailable {
            // There was nothing to cancel, or nothing to try again.
        }
    }

    /// From here on all behave: then everything has to come to its end.
    private func settle() async throws -> [String] {
        server.disk.meet(.room)
        while !refused.isEmpty { try await registerRefused() }
        for user in users { _ = try await server.engine.change(queue: "q1", ofUser: user.id, isPaused: false) }
        places.down = []
        // One never comes back: what it holds is free once its lease is over.
        workers.removeLast()
        for worker in workers { worker.behaves = true }
        for round in 0..<4000 {
            try await server.runDuties()
            for worker in workers { try await worker.step(server.engine, record) }
            clock.advance(seconds: 1)
            guard round % 20 == 19 else { continue }
            let found = try await Invariants.violations(server.engine.store, record)
            if !found.isEmpty { return found.map { "settling: \($0)" } }
            if try await Invariants.leftovers(server.engine.store, record).isEmpty {
                return try await Invariants.records(server.engine, record)
            }
        }
        return try await Invariants.leftovers(server.engine.store, record)
    }
}
