public import HaulModel
import HaulStore

/// Jobs that are handed out to one who is no worker: as a whole, with no session, and ended by what their user says.
extension Engine {
    /// A job that was popped, and the number of the attempt.
    public struct Popped: Sendable {
        public var job: Job
        public var attempt: Int
    }

    /// What became of a job that was popped, as its user says.
    public struct Said: Sendable, Hashable {
        public var isDone: Bool
        /// The exit code of what was run.
        public var code: Int
        public var message: String?
        /// Of which attempt; nil is the one that runs.
        public var attempt: Int?

        public init(isDone: Bool, code: Int? = nil, message: String? = nil, attempt: Int? = nil) {
            self.isDone = isDone
            self.code = code ?? (isDone ? 0 : 1)
            // Neither database holds a zero byte in a text alike.
            self.message = message?.replacing("\u{0}", with: "\u{FFFD}")
            self.attempt = attempt
        }
    }

    /// Takes the first job of a queue: of those with the highest priority the oldest. Each is given to one alone.
    ///
    /// - Parameter user: whose queue it is.
    /// - Returns: nil where the queue is empty or paused.
    /// - Throws: `.notFound` where there is no such queue.
    public func pop(queue name: String, ofUser user: Int, by actor: Requester) async throws -> Popped? {
        // Looking first costs a read: who asks an empty queue again and again keeps no writer busy.
        let isThere = try await store.read { reader in
            let known = try Self.queue(name, ofUser: user, reader)
            return try known.queue.paused == nil && reader.poppable(inQueue: known.id, ofUser: user) != nil
        }
        guard isThere else { return nil }
        return try await transact { writer, ledger in
            let known = try Self.queue(name, ofUser: user, writer.reader)
            guard known.queue.paused == nil, let element = try writer.reader.poppable(inQueue: known.id, ofUser: user),
                let number = try Self.begin(element, actor, known.queue, writer, ledger)
            else { return nil }
            guard let job = try ledger.close()[element.jobID] else { throw EngineError.noJob(element.jobID) }
            return Popped(job: job, attempt: number)
        }
    }

    /// Takes a job that waits; or has the lease of who popped it begin anew.
    ///
    /// - Parameter attempt: under which it was popped; nil takes it.
    /// - Throws: `.conflict` where it does not wait as a whole, or its queue is paused; or another attempt is meant.
    public func pop(job id: Int, attempt: Int? = nil, by actor: Requester) async throws -> Popped {
        try await transact { writer, ledger in
            let state = try Self.known(id, writer)
            let queue = try writer.reader.queue(state.job.queue, ofUser: state.job.userID)?.queue
            if let attempt {
                _ = try Self.popped(state, attempt, writer.reader)
                try writer.renewPop(
                    AttemptID(jobID: id, elementID: 0, number: attempt), until: Self.end(of: queue, ledger.now))
                return Popped(job: state.job, attempt: attempt)
            }
            if queue?.paused != nil { throw EngineError.queuePaused(state.job.queue) }
            guard let number = try Self.take(state, actor, writer, ledger) else {
                throw EngineError.notWaiting(state.job)
            }
            return Popped(job: try ledger.close()[id] ?? state.job, attempt: number)
        }
    }

    /// Ends a job that was popped, or that waits and need not be.
    ///
    /// - Returns: the job as it is now; the same if it was said before.
    /// - Throws: `.conflict` where a worker has it, it ended otherwise, or another attempt is meant.
    public func settle(job id: Int, _ said: Said, by actor: Requester) async throws -> Job {
        try await transact { writer, ledger in
            let state = try Self.known(id, writer)
            if state.isEnded, try Self.wasSaid(said, of: state.job, writer.reader) { return state.job }
            if said.attempt == nil { _ = try Self.take(state, actor, writer, ledger) }
            let element = try Self.popped(state, said.attempt, writer.reader)
            let reason = said.message ?? "it ended with exit code \(said.code)"
            let event: ElementMachine.Event =
                said.isDone ? .succeeded(size: nil) : .failed(.unknown, reason: reason)
            guard let decision = try ledger.apply(event, to: element) else { throw EngineError.notPopped(state.job) }
            let attempt = AttemptID(jobID: id, elementID: 0, number: decision.element.attempts)
            try Self.end(
                attempt, said.isDone ? .done : .failed, said.isDone ? nil : .unknown,
                reason: said.isDone ? said.message : reason, code: said.code, writer, ledger.now)
            return try ledger.close()[id] ?? state.job
        }
    }

    static func queue(_ name: String, ofUser user: Int, _ reader: StoreReader) throws -> KnownQueue {
        guard let known = try reader.queue(name, ofUser: user) else { throw EngineError.noQueue(name) }
        return known
    }

    /// The element of a job that was popped.
    ///
    /// - Parameter attempt: under which; nil is any.
    /// - Throws: `.conflict` where it was not.
    static func popped(_ state: JobState, _ attempt: Int?, _ reader: StoreReader) throws -> Element {
        guard let element = try reader.element(0, ofJob: state.job.id), element.phase == .popped,
            attempt.map({ $0 == element.attempts + 1 }) ?? true
        else { throw EngineError.notPopped(state.job) }
        return element
    }

    /// When the lease ends of who pops something of a queue now, or says that they are at it; nil is never.
    private static func end(of queue: Queue?, _ now: Timestamp) -> Timestamp? {
        queue?.leaseSeconds.map { now.adding(seconds: Double($0)) }
    }

    /// Takes all of a job that waits, if nobody has any of it.
    private static func take(
        _ state: JobState, _ actor: Requester, _ writer: StoreWriter, _ ledger: Ledger
    ) throws -> Int? {
        guard state.job.counts.total == 1, state.expansion == nil, state.intent == nil || state.intent == .retry,
            let element = try writer.reader.element(0, ofJob: state.job.id), element.phase == .ready
        else { return nil }
        let queue = try writer.reader.queue(state.job.queue, ofUser: state.job.userID)?.queue
        return try begin(element, actor, queue, writer, ledger)
    }

    private static func begin(
        _ element: Element, _ actor: Requester, _ queue: Queue?, _ writer: StoreWriter, _ ledger: Ledger
    ) throws -> Int? {
        guard let decision = try ledger.apply(.popped, to: element) else { return nil }
        var begun: Int?
        for case .beginAttempt(let number) in decision.actions {
            try writer.insertPop(
                AttemptID(jobID: element.jobID, elementID: element.id, number: number), by: actor.name, now: ledger.now,
                until: end(of: queue, ledger.now))
            begun = number
        }
        return begun
    }

    /// Whether the same was said before of how a job ended.
    private static func wasSaid(_ said: Said, of job: Job, _ reader: StoreReader) throws -> Bool {
        guard let last = try reader.latestAttempt(ofElement: 0, ofJob: job.id), last.sessionID == 0,
            job.status == (said.isDone ? .done : .failed), last.returnCode == said.code
        else { return false }
        if let attempt = said.attempt, attempt != last.number { return false }
        return said.isDone || said.message != nil ? last.reason == said.message : true
    }

    /// Ends the attempt that a decision ends where it was popped: it has no log, and nobody to report it.
    static func end(
        _ decision: ElementMachine.Decision, _ errorClass: ErrorClass?, reason: String, _ writer: StoreWriter,
        _ now: Timestamp
    ) throws {
        let element = decision.element
        for case .endAttempt(let number) in decision.actions {
            let id = AttemptID(jobID: element.jobID, elementID: element.id, number: number)
            let status: Status = element.phase == .cancelled ? .cancelled : .failed
            try end(id, status, status == .cancelled ? nil : errorClass, reason: reason, code: nil, writer, now)
        }
    }

    private static func end(
        _ id: AttemptID, _ status: Status, _ errorClass: ErrorClass?, reason: String?, code: Int?,
        _ writer: StoreWriter,
        _ now: Timestamp
    ) throws {
        guard var attempt = try writer.reader.attempt(id), attempt.ended == nil else { return }
        attempt.ended = now
        attempt.status = status
        attempt.errorClass = errorClass
        attempt.reason = reason
        attempt.returnCode = code
        try writer.endAttempts([(attempt, nil)])
    }
}

extension EngineError {
    static func noQueue(_ name: String) -> EngineError {
        EngineError(
            .notFound, code: "no_such_queue", detail: "There is no queue \"\(name)\".",
            hint: "GET /queues (haul queues) lists them; PUT /queues/NAME makes one.")
    }

    static func queueGoing(_ name: String) -> EngineError {
        EngineError(
            .conflict, code: "queue_being_removed",
            detail: "Queue \"\(name)\" was removed a moment ago, and what was in it is still going.",
            hint: "Send it again in a moment.")
    }

    static func queueExists(_ name: String) -> EngineError {
        EngineError(
            .conflict, code: "queue_exists", detail: "There is a queue \"\(name)\".",
            hint: "PATCH /queues/NAME changes it.")
    }

    fileprivate static func queuePaused(_ name: String) -> EngineError {
        EngineError(
            .conflict, code: "queue_paused", detail: "Queue \"\(name)\" is paused: nothing of it is handed out.",
            hint: "PATCH /queues/NAME with \"paused\": false (haul queues NAME --resume) opens it.")
    }

    fileprivate static func notWaiting(_ job: Job) -> EngineError {
        EngineError(
            .conflict, code: "job_not_waiting",
            detail: "Job \(job.id) does not wait as a whole: it is \(job.status.name).",
            hint: "A job is popped before any of it was done.")
    }

    static func notPopped(_ job: Job) -> EngineError {
        EngineError(
            .conflict, code: "job_not_popped",
            detail: "Job \(job.id) is with nobody who could say what became of it: it is \(job.status.name).",
            hint: "Of a job that was popped it is said once; what a worker has is reported by that worker.")
    }
}
