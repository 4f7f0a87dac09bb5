public import HaulModel
import HaulStore

/// What users do with whole queues. What concerns all jobs of one is done in pieces.
extension Engine {
    /// A queue, and how many of its jobs are at each stage.
    public typealias CountedQueue = (queue: Queue, jobs: [JobStage: Int])

    /// A user's queues, by name, with what is in them.
    public func countedQueues(ofUser user: Int) async throws -> [CountedQueue] {
        try await store.read { reader in
            let counts = try reader.stages(ofUser: user)
            return try reader.queues(ofUser: user).map { ($0.queue, counts[$0.id] ?? [:]) }
        }
    }

    /// - Throws: `.notFound` where there is no such queue.
    public func queue(_ name: String, ofUser user: Int) async throws -> Queue {
        try await store.ask { try Self.queue(name, ofUser: user, $0).queue }
    }

    /// Makes a queue.
    ///
    /// - Throws: `.conflict` where there is one of this name.
    public func make(_ queue: Queue, ofUser user: Int, by actor: Requester? = nil) async throws -> Queue {
        let now = world.now()
        try await empty(ofUser: user)
        return try await store.write { writer in
            guard try writer.makeQueue(queue.name, ofUser: user) else { throw EngineError.queueExists(queue.name) }
            try writer.setPopped(queue.isPopped, queue: queue.name, ofUser: user)
            try writer.setLease(queue.leaseSeconds, queue: queue.name, ofUser: user)
            if let limit = queue.limit { try writer.setLimit(limit, queue: queue.name, ofUser: user) }
            if let paused = queue.paused { try writer.setPaused(paused, queue: queue.name, ofUser: user) }
            try writer.note(
                Deed(.queue, queue.name, "user=\(user) made\(queue.isPopped ? " pop=true" : "")"), by: actor, now: now)
            return try Self.queue(queue.name, ofUser: user, writer.reader).queue
        }
    }

    /// Removes a queue with all that is in it: nobody sees it from now on, what runs of it is stopped, then all of it goes.
    ///
    /// - Throws: `.notFound` where there is no such queue.
    public func remove(queue name: String, ofUser user: Int, by actor: Requester? = nil) async throws {
        let now = world.now()
        try await write(waking: StoreChange([.sweep, .launches, .rescue])) { writer in
            let known = try Self.queue(name, ofUser: user, writer.reader)
            try writer.removeQueue(known.id, now: now)
            try Self.endLaunches(known.id, writer, now: now)
            try writer.note(Deed(.queue, name, "user=\(user) removed"), by: actor, now: now)
        }
        try await empty(ofUser: user)
    }

    /// Removes what is left in a user's removed queues.
    private func empty(ofUser user: Int) async throws {
        var place = DoomedQueue.Place.start
        while true {
            let after = place
            let next = try await store.read { try $0.doomedQueues(ofUser: user, after: after, limit: 1).first }
            guard let queue = next else { return }
            try await empty(queue)
            place = queue.place
        }
    }

    /// Removes what is left in a removed queue: each job is to go from now on, of which the sweeper does the pieces.
    func empty(_ queue: DoomedQueue) async throws {
        let most = configuration.dutyPiece
        var after: Int? = 0
        while let place = after {
            let (jobs, last) = try await store.read { try $0.doomedJobs(queue, after: place, scanned: 10 * most) }
            for start in stride(from: 0, to: jobs.count, by: most) {
                let piece = jobs[start..<min(start + most, jobs.count)]
                try await transact(elements: most) { [self] writer, ledger in
                    for id in piece {
                        guard let state = try writer.reader.jobState(id), state.intent != .destroy else { continue }
                        try ledger.intend(.destroy, ofJob: id)
                        // Of one that was popped nothing waits for the sweeper to see.
                        if state.open == 1 { try sweep(id, writer, ledger) }
                    }
                }
            }
            after = last
        }
        try await write(waking: StoreChange(.work)) { try $0.clearDoom(queue) }
    }

    /// Tries again all of a queue that failed or was cancelled.
    ///
    /// - Returns: how many jobs.
    /// - Throws: `.notFound` where there is no such queue.
    public func retry(queue name: String, ofUser user: Int, by actor: Requester? = nil) async throws -> Int {
        try await each(of: name, ofUser: user, at: [.failed, .cancelled], action: "retry", by: actor) { [self] jobs in
            try await transact(elements: jobs.count) { [self] writer, ledger in
                try jobs.count { job in
                    guard let state = try writer.reader.jobState(job.id), state.intent != .destroy,
                        EngineError.noRetry(of: state) == nil
                    else { return false }
                    // The sweeper does the pieces of what has several.
                    try beginRetry(of: state, sweeps: state.job.counts.total == 1, writer, ledger)
                    return true
                }
            }
        }
    }

    /// Takes back all of a queue that somebody has, worker or not: it waits as if it had never been handed out.
    ///
    /// - Returns: how many jobs.
    /// - Throws: `.notFound` where there is no such queue.
    public func recover(queue name: String, ofUser user: Int, by actor: Requester? = nil) async throws -> Int {
        try await each(of: name, ofUser: user, at: [.executing], action: "recover", by: actor) { [self] jobs in
            try await takeBack(jobs)
        }
    }

    /// Goes once through a queue's jobs that are at some stages now.
    ///
    /// - Parameter body: answers to how many of a page something was done.
    private func each(
        of name: String, ofUser user: Int, at stages: Set<JobStage>, action: String, by actor: Requester?,
        _ body: ([Job]) async throws -> Int
    ) async throws -> Int {
        _ = try await queue(name, ofUser: user)
        var filter = JobFilter(userID: user, queue: name)
        filter.stages = stages
        let narrowed = filter
        let most = configuration.dutyPiece
        var (after, count) = (0, 0)
        while !Task.isCancelled {
            let place = after
            let jobs = try await store.read { try $0.jobs(narrowed, after: place, limit: most) }
            guard let last = jobs.last else { break }
            count += try await body(jobs)
            after = last.id
        }
        let (now, all) = (world.now(), count)
        try await store.write { writer in
            try writer.note(Deed(.queue, name, "user=\(user) \(action) jobs=\(all)"), by: actor, now: now)
        }
        return count
    }

    /// How jobs ended that did, by id.
    public func outcomes(of jobs: [Job]) async throws -> [Int: JobOutcome] {
        guard jobs.contains(where: \.stage.isEnded) else { return [:] }
        return try await store.ask { try $0.outcomes(of: jobs) }
    }
}
