public import HaulModel
import HaulStore

/// What users want otherwise of jobs that are registered. Each is on disk before it is answered; what concerns many
/// elements is then done in pieces (``Sweeper``).
extension Engine {
    /// Cancels a job: what waits at once, what runs as soon as its worker stops it. A job that is cancelled stays so.
    ///
    /// - Returns: the job as it is now.
    /// - Throws: `.conflict` for one that ended otherwise.
    public func cancel(job id: Int, by actor: Requester? = nil) async throws -> Job {
        try await transact(elements: configuration.dutyPiece) { [self] writer, ledger in
            try cancel(id, actor, writer, ledger)
        }
    }

    func cancel(_ id: Int, _ actor: Requester?, _ writer: StoreWriter, _ ledger: Ledger) throws -> Job {
        let state = try Self.known(id, writer)
        guard state.job.status != .cancelled else { return state.job }
        guard !state.isEnded else { throw EngineError.ended(state.job) }
        try ledger.intend(.cancel, ofJob: id)
        try writer.note(Deed(.cancel, "\(id)"), by: actor, now: ledger.now)
        try sweep(id, writer, ledger)
        return try ledger.close()[id] ?? state.job
    }

    /// Removes a job: nobody sees it from now on. What waits of it is cancelled at once, what runs as soon as its worker
    /// stops it; then all that there is of it goes.
    ///
    /// - Returns: the job as it was seen last.
    public func destroy(job id: Int, by actor: Requester? = nil) async throws -> Job {
        try await transact(elements: configuration.dutyPiece) { [self] writer, ledger in
            let state = try Self.known(id, writer)
            try ledger.intend(.destroy, ofJob: id)
            try writer.note(Deed(.destroy, "\(id)"), by: actor, now: ledger.now)
            try sweep(id, writer, ledger)
            return try ledger.close()[id] ?? state.job
        }
    }

    /// Cancels an element. One that runs is stopped by its worker, and ends then.
    ///
    /// - Returns: the element as it is now.
    /// - Throws: `.conflict` for one that ended otherwise.
    public func cancel(element number: Int, ofJob id: Int, by actor: Requester? = nil) async throws -> Element {
        try await transact { writer, ledger in
            _ = try Self.known(id, writer)
            guard let element = try writer.reader.element(number, ofJob: id) else {
                throw EngineError.noElement(number, ofJob: id)
            }
            if element.phase == .cancelled || element.isUnwanted { return element }
            guard let decision = try ledger.apply(.cancelled, to: element) else {
                throw EngineError.ended(element)
            }
            if element.phase == .popped {
                try Self.end(decision, nil, reason: "it was cancelled", writer, ledger.now)
            }
            try writer.note(Deed(.cancelElement, "\(id).\(number)"), by: actor, now: ledger.now)
            return decision.element
        }
    }

    /// Gives the failed and cancelled elements of a job `max_tries` more tries each. Their attempts and logs stay.
    ///
    /// - Parameter key: a repeated one of the same user is answered as the first.
    /// - Returns: the job as it is now.
    /// - Throws: `.conflict` where there is nothing to try again, and while the job is being cancelled.
    public func retry(job id: Int, user: User, key: IdempotencyKey?, by actor: Requester? = nil) async throws -> Job {
        let oldest = world.now().adding(seconds: -configuration.idempotencySeconds)
        return try await transact(elements: configuration.dutyPiece) { [self] writer, ledger in
            let state = try Self.known(id, writer)
            if try writer.reader.keptAnswer(to: key, user: user, since: oldest) != nil { return state.job }
            if let refusal = EngineError.noRetry(of: state) { throw refusal }
            try beginRetry(of: state, writer, ledger)
            try writer.keep(key, jobs: [id], user: user, now: ledger.now)
            try writer.note(Deed(.retry, "\(id)"), by: actor, now: ledger.now)
            return try ledger.close()[id] ?? state.job
        }
    }

    /// Has what failed of a job tried again.
    ///
    /// - Parameter sweeps: with the first piece of it.
    func beginRetry(of state: JobState, sweeps: Bool = true, _ writer: StoreWriter, _ ledger: Ledger) throws {
        if let deadline = state.job.deadline, deadline <= ledger.now {
            // It has had its effect; it would have it again at once.
            var job = state.job
            job.deadline = nil
            try ledger.change(job)
        }
        try ledger.intend(.retry, ofJob: state.job.id)
        if sweeps { try sweep(state.job.id, writer, ledger) }
    }

    /// Changes a job. A change of queue or priority moves all of it that waits.
    ///
    /// - Returns: the job as it is now.
    /// - Throws: `.conflict` for what can't be changed any more of one that ended, or not yet of one that is not committed.
    public func change(job id: Int, _ change: JobChange, by actor: Requester? = nil) async throws -> Job {
        try await transact { writer, ledger in try Self.change(id, change, actor, writer, ledger) }
    }

    static func change(
        _ id: Int, _ change: JobChange, _ actor: Requester?, _ writer: StoreWriter, _ ledger: Ledger
    ) throws -> Job {
        let state = try Self.known(id, writer)
        if state.isEnded, change.needsLife { throw EngineError.ended(state.job) }
        if !state.job.isSound, change.isOfParameters { throw EngineError.notCommitted(state.job) }
        var job = state.job
        job.priority = change.priority ?? job.priority
        job.queue = change.queue ?? job.queue
        if job.queue != state.job.queue {
            try Self.checkDoom(of: id, inQueue: job.queue, ofUser: job.userID, writer.reader)
        }
        if let label = change.label { job.label = label }
        if let deadline = change.deadline { job.deadline = deadline }
        if let destruction = change.destruction { job.destruction = destruction }
        job.executionSeconds = change.executionSeconds ?? job.executionSeconds
        job.isKept = change.keep ?? job.isKept
        job.changed = ledger.now
        if job.isSound { try ledger.change(job) } else { try ledger.changeDraft(job) }
        try writer.note(Deed(.change, "\(id)", change.summary), by: actor, now: ledger.now)
        return try ledger.close()[id] ?? job
    }

    /// Does a piece of what is wanted of a whole job.
    func sweep(_ id: Int, _ writer: StoreWriter, _ ledger: Ledger) throws {
        guard let state = try ledger.known(id) else { return }
        let limit = configuration.dutyPiece
        switch state.intent {
        case nil: return
        case .cancel, .expire, .destroy:
            let event: ElementMachine.Event = state.intent == .expire ? .expired : .cancelled
            for element in try writer.reader.waitingElements(ofJob: id, limit: limit) {
                guard let decision = try ledger.apply(event, to: element), element.phase == .popped else { continue }
                try Self.end(decision, .deadline, reason: "the job was ended", writer, ledger.now)
            }
        case .retry:
            // What could not be removed may be by now: a REMOVE forgets which directories it had to keep, first of all.
            if state.swept < 0, try writer.forgetKeptDirectories(ofJob: id, limit: limit) { return }
            let found = try writer.reader.endedInVain(ofJob: id, after: state.swept, scanned: limit)
            for element in found.elements {
                _ = try ledger.apply(.retried(tries: state.job.maxTries), to: element)
            }
            try ledger.sweptTo(found.last, ofJob: id)
        }
    }

    /// - Throws: `.conflict` for an old job on its way into a queue of a name that was removed a moment ago.
    static func checkDoom(of job: Int, inQueue name: String, ofUser user: Int, _ reader: StoreReader) throws {
        if try reader.isDoomed(job, inQueue: name, ofUser: user) { throw EngineError.queueGoing(name) }
    }

    static func known(_ id: Int, _ writer: StoreWriter) throws -> JobState {
        guard let state = try writer.reader.jobState(id), state.intent != .destroy else { throw EngineError.noJob(id) }
        return state
    }
}

extension JobState {
    /// Nothing more of it will happen by itself.
    var isEnded: Bool { open == 0 && expansion == nil && intent == nil && job.status != .new }

    /// All its elements are there: it is listed and expanded.
    var knowsAll: Bool {
        let isListing = job.type != .list && job.type.firstElement == .list && job.counts.total == 1 && open == 1
        return expansion == nil && !isListing
    }
}

extension EngineError {
    static func ended(_ job: Job) -> EngineError {
        EngineError(
            .conflict, code: "job_ended", detail: "Job \(job.id) has ended: it is \(job.status.name).",
            hint: (job.isSound ? afterTheEnd(of: job.id, job.status) : "Register a new job.")
                + " Its label, keep and destruction can still be changed.")
    }

    static func ended(_ element: Element) -> EngineError {
        EngineError(
            .conflict, code: "element_ended",
            detail: "Element \(element.id) of job \(element.jobID) has ended: it is \(element.status.name).",
            hint: afterTheEnd(of: element.jobID, element.status))
    }

    /// What can be done once something of a job has ended.
    private static func afterTheEnd(of job: Int, _ status: Status) -> String {
        status == .done
            ? "Register a new job to do it once more."
            : "POST /jobs/\(job)/retry (haul retry \(job)) tries again what failed or was cancelled."
    }

    /// Why a job can't be tried again now, or nil.
    static func noRetry(of state: JobState) -> EngineError? {
        let id = state.job.id
        if !state.job.isSound { return notCommitted(state.job) }
        if state.intent == .retry { return nil }
        if state.intent != nil {
            return EngineError(
                .conflict, code: "job_ending", detail: "Job \(id) is being cancelled, and some of it still runs.",
                hint: "Try again when it is \(Status.cancelled.name).")
        }
        if state.job.type == .remove, !state.isEnded {
            return EngineError(
                .conflict, code: "job_running", detail: "Job \(id) still runs: a REMOVE is tried again as a whole.",
                hint: "Try again when it has ended.")
        }
        guard state.job.counts.failed + state.job.counts.cancelled > 0 || state.cutExpansion != nil else {
            return EngineError(
                .conflict, code: "nothing_failed", detail: "Nothing of job \(id) failed or was cancelled.",
                hint: "Register a new job to do it once more.")
        }
        return nil
    }
}
