import HaulModel
import HaulStore
import Support

@testable import HaulEngine

/// What users registered, and what of it was not answered.
struct Registrations {
    struct Item {
        var requests: [JobRequest]
        var user: User
        var key: IdempotencyKey?
    }

    /// With keys, and answered.
    var known: [(item: Item, ids: [Int])] = []
    /// With keys, and refused: who sent them asks again.
    var refused: [Item] = []
    /// The server died over it.
    var uncertain: Item?

    /// The jobs under a key, in the place of those that were under it before.
    mutating func remember(_ item: Item, _ ids: [Int]) {
        guard let key = item.key else { return }
        known.removeAll { $0.item.key?.key == key.key }
        known.append((item, ids))
    }
}

extension Simulation {
    func register(at server: SimulatedServer) async throws {
        if !registrations.refused.isEmpty, chance.percent(50) { return try await registerRefused(at: server) }
        if let old = chance.pick(registrations.known), chance.percent(20) {
            // Its answer was lost, it asks again.
            return try await send(old.item, again: old.ids, to: server)
        }
        guard let user = chance.pick(users) else { return }
        let requests = try (0..<chance.number(1...3)).map { _ in try request(server.engine.rules) }
        let key = chance.percent(50) ? IdempotencyKey(key: "k\(chance.next())", request: chance.bytes(8)) : nil
        try await send(.init(requests: requests, user: user, key: key), to: server)
    }

    /// The oldest registration that was refused, once more.
    func registerRefused(at server: SimulatedServer) async throws {
        guard !registrations.refused.isEmpty else { return }
        try await send(registrations.refused.removeFirst(), to: server)
    }

    /// - Parameter old: the jobs that the same request got before.
    private func send(_ item: Registrations.Item, again old: [Int]? = nil, to server: SimulatedServer) async throws {
        let ids: [Int]
        do {
            ids = try await server.ask {
                try await $0.register(item.requests, user: item.user, key: item.key).map(\.id)
            }
        } catch let error as EngineError
            where error.code == "job_gone" && old?.contains(where: record.mayBeGone) == true
        {
            // What is left of them would not say which of them it is.
            return
        } catch {
            if error is ServerDied {
                registrations.uncertain = item
            } else if item.key != nil, old == nil {
                registrations.refused.append(item)
            }
            throw error
        }
        let known = Set(record.jobs)
        if let old, known.isSuperset(of: ids) {
            if ids != old { record.isWrong("jobs \(old) were registered, and under the same key \(ids)") }
            return
        }
        // After a day it is another request.
        if !known.isDisjoint(with: ids) || ids.count != item.requests.count {
            record.isWrong("\(item.requests.count) jobs were registered, and \(ids) are new")
        }
        record.acknowledged(ids)
        registrations.remember(item, ids)
    }

    /// Of a registration over which the server died all is there, or nothing.
    func findUncertain() async throws {
        guard let item = registrations.uncertain else { return }
        registrations.uncertain = nil
        let visible = try await server.engine.store.read {
            try $0.jobs(JobFilter(), after: 0, limit: 1_000_000).map(\.id)
        }
        let ids = Array(Set(visible).subtracting(record.jobs)).sorted()
        if ids.isEmpty {
            if let key = item.key, !registrations.known.contains(where: { $0.item.key?.key == key.key }) {
                registrations.refused.append(item)
            }
            return
        }
        if ids.count != item.requests.count {
            record.isWrong("the server died over \(item.requests.count) jobs, and \(ids) are there")
        }
        record.acknowledged(ids)
        registrations.remember(item, ids)
    }

    private func request(_ rules: RegistrationRules) throws -> JobRequest {
        try JobRequest(document(), type: chance.pick(JobType.transfers) ?? .list, rules: rules)
    }

    private func document() -> [String: JSONValue] {
        var document: [String: JSONValue] = [
            "src_siteid": .int(chance.number(1...3)), "src_filepath": .string("/d\(chance.number(1...9))"),
            "dst_siteid": .int(chance.number(1...3)), "dst_filepath": .string("/e\(chance.number(1...9))"),
            "priority": .int(chance.number(0...9)), "max_tries": .int(chance.number(1...3)),
            "queue": .string("q\(chance.number(1...2))"),
        ]
        if chance.percent(10) { document["max_queue_time"] = .int(chance.number(10...5000)) }
        if chance.percent(10) { document["execution_duration"] = .int(chance.number(10...5000)) }
        if chance.percent(5) {
            document["destruction"] = .string(clock.now.adding(seconds: Double(chance.number(10...5000))).text)
        }
        return document
    }

    /// A job that is committed later, or at once.
    func draft(at server: SimulatedServer) async throws {
        guard let user = chance.pick(users) else { return }
        let draft = JobDraft(type: chance.pick(JobType.transfers), document: document())
        let commits = chance.percent(30)
        do {
            let id = try await server.ask {
                try await $0.register(draft, user: user, committedAs: commits ? .anybody : nil).id
            }
            record.acknowledged([id])
        } catch is ServerDied {
            registrations.uncertain = .init(requests: [try request(server.engine.rules)], user: user, key: nil)
            throw ServerDied()
        }
    }

    /// A user changes their mind.
    func control(at server: SimulatedServer) async throws {
        guard let job = chance.pick(record.jobs), let user = users.first else { return }
        let draw = chance.number(0...14)
        if draw == 9 { return try await draft(at: server) }
        if (2...3).contains(draw) { record.wanted(again: job) }
        let isGoing = draw == 10 && chance.percent(20)
        if isGoing { record.wantedGone(job) }
        do {
            try await server.ask { [chance] engine in
                switch draw {
                case 0: _ = try await engine.cancel(job: job)
                case 1: _ = try await engine.cancel(element: chance.number(0...5), ofJob: job)
                case 2...3: _ = try await engine.retry(job: job, user: user, key: nil)
                case 4:
                    _ = try await engine.change(
                        job: job, JobChange(["priority": .int(chance.number(0...9)), "queue": "q3"]))
                case 5:
                    let limit = chance.percent(30) ? nil : chance.number(1...4)
                    _ = try await engine.change(queue: "q2", ofUser: user.id, limit: .some(limit))
                case 6: _ = try await engine.endSession(ofWorker: "w\(chance.number(0...2))")
                case 7:
                    _ = try await engine.change(
                        job: job,
                        JobChange(["label": .string("l\(chance.number(0...9))"), "keep": .bool(chance.percent(50))]))
                case 10: if isGoing { _ = try await engine.destroy(job: job) }
                case 11...12: _ = try await engine.commit(job: job, user: .anybody)
                case 13:
                    let alice = Requester(name: "alice", token: nil, address: "")
                    _ = try await engine.revoke(job: job, by: alice)
                case 14: if chance.percent(20) { _ = try await engine.recover(queue: "q1", ofUser: user.id) }
                default: _ = try await engine.change(queue: "q1", ofUser: user.id, isPaused: chance.percent(30))
                }
            }
        } catch let error as EngineError where error.kind != .unavailable {
            // There was nothing to cancel, or nothing to try again.
        }
    }
}
