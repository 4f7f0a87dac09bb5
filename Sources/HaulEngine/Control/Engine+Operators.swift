public import HaulModel
import HaulStore

/// What users and operators open and close: queues, workers, sites. Each is a row that the next claim reads.
extension Engine {
    /// A user's queues, by name.
    public func queues(ofUser user: Int) async throws -> [Queue] {
        try await store.read { try $0.queues(ofUser: user).map(\.queue) }
    }

    /// Changes a queue. What runs goes on, also beyond a new limit.
    ///
    /// - Parameters:
    ///   - isPaused: nothing of it is handed out; nil leaves it as it is.
    ///   - limit: elements of it that may be with workers at once, `.some(nil)` any number; nil leaves it as it is.
    ///   - isPopped: it is handed out by pop alone; nil leaves it as it is.
    ///   - lease: for how many seconds who popped a job may be silent, `.some(nil)` for ever; nil leaves it as it is.
    ///   - makes: it is made if it is not there.
    /// - Throws: `.notFound` where it is not there and shall not be made.
    public func change(
        queue: String, ofUser user: Int, isPaused: Bool? = nil, limit: Int?? = nil, isPopped: Bool? = nil,
        lease: Int?? = nil, makes: Bool = true, by actor: Requester? = nil
    ) async throws -> Queue {
        let now = world.now()
        let mayWake = isPaused == false || limit != nil || isPopped == false
        let found = try await write(waking: StoreChange(mayWake ? .work : [])) { writer in
            if !makes { _ = try Self.queue(queue, ofUser: user, writer.reader) }
            if let isPaused { try writer.setPaused(isPaused ? now : nil, queue: queue, ofUser: user) }
            if let limit { try writer.setLimit(limit, queue: queue, ofUser: user) }
            if let isPopped { try writer.setPopped(isPopped, queue: queue, ofUser: user) }
            if let lease { try writer.setLease(lease, queue: queue, ofUser: user) }
            let changes = [
                isPaused.map { "paused=\($0)" }, limit.map { "limit=\($0.map(String.init) ?? "none")" },
                isPopped.map { "pop=\($0)" }, lease.map { "lease=\($0.map(String.init) ?? "none")" },
            ].compactMap(\.self)
            try writer.note(
                Deed(.queue, queue, (["user=\(user)"] + changes).joined(separator: " ")), by: actor, now: now)
            return try writer.reader.queue(queue, ofUser: user)?.queue
        }
        return found ?? Queue(name: queue, paused: nil)
    }

    /// A page of workers by name, after one of them.
    public func workers(after: String, limit: Int) async throws -> [KnownWorker] {
        try await store.read { try $0.workers(after: after, limit: limit) }
    }

    /// The worker of a name, else those on the machine of that name.
    public func liveWorkers(named name: String, limit: Int) async throws -> [KnownWorker] {
        try await store.read { try $0.liveWorkers(named: name, limit: limit) }
    }

    public func worker(named name: String) async throws -> KnownWorker {
        guard let worker = try await store.read({ try $0.worker(named: name) }) else { throw Self.noWorker(name) }
        return worker
    }

    /// Says that a worker gets no more work, or does again. What it holds goes on.
    public func setDrained(_ isDrained: Bool, worker name: String, by actor: Requester? = nil) async throws
        -> KnownWorker
    {
        let now = world.now()
        let found = try await write(waking: StoreChange(isDrained ? [] : .work)) { writer in
            guard try writer.setDrained(isDrained ? now : nil, worker: name) else { return nil as KnownWorker? }
            try writer.note(Deed(isDrained ? .drain : .undrain, name), by: actor, now: now)
            return try writer.reader.worker(named: name)
        }
        guard let found else { throw Self.noWorker(name) }
        return found
    }

    /// Ends the session that a worker has, if it has one: what it holds is lost and handed out again at once. A worker
    /// that is alive finds out with its next request, stops, and may begin a new one.
    public func endSession(ofWorker name: String, by actor: Requester? = nil) async throws -> KnownWorker {
        let now = world.now()
        let found = try await write(waking: StoreChange(.rescue)) { writer in
            let isThere = try writer.revokeSession(
                ofWorker: name, because: "an operator ended the worker's session", now: now)
            guard isThere else { return nil as KnownWorker? }
            try writer.note(Deed(.endSession, name), by: actor, now: now)
            return try writer.reader.worker(named: name)
        }
        guard let found else { throw Self.noWorker(name) }
        return found
    }

    public func bans() async throws -> [Ban] { try await store.read { try $0.bans() } }

    /// Closes a site with a reason, or opens it again with none: what runs goes on.
    public func setBan(_ reason: String?, site: Int, by actor: Requester? = nil) async throws {
        let now = world.now()
        try await write(waking: StoreChange(reason == nil ? .work : [])) { writer in
            if let reason {
                try writer.ban(site: site, reason: reason, now: now)
            } else {
                try writer.unban(site: site)
            }
            try writer.note(Deed(reason == nil ? .unban : .ban, "\(site)", reason ?? ""), by: actor, now: now)
        }
    }

    private static func noWorker(_ name: String) -> EngineError {
        EngineError(
            .notFound, code: "no_such_worker", detail: "There is no worker \"\(name)\".",
            hint: "GET /workers lists those that registered.")
    }
}
