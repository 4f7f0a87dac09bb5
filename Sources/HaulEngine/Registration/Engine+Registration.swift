public import HaulModel
import HaulStore

extension Engine {
    /// Registers jobs, all or none, and answers them once they are on disk.
    ///
    /// - Parameters:
    ///   - key: a repeated one of the same user gets the jobs of the first request, as they were answered.
    ///   - makesQueues: queues that are not there are made.
    ///   - actor: who asks for it, for the record.
    /// - Throws: `EngineError.conflict` for a key that was used with another body; `.overLimit` where too much of the user
    ///   waits; `.notFound` for a queue that is not there and shall not be made.
    public func register(
        _ requests: [JobRequest], user: User, key: IdempotencyKey? = nil, makesQueues: Bool = true,
        by actor: Requester? = nil
    ) async throws -> [Job] {
        if let limit = configuration.limits.of(user.name).waiting, requests.count > limit {
            throw EngineError.neverFits(requests.count, in: limit)
        }
        let registration = registration(of: requests, user: user, key: key, makesQueues: makesQueues, by: actor)
        let registered =
            if requests.count == 1 {
                try await store.write(registration, among: registrations, Registration.perform)
            } else {
                try await store.write(isLarge: requests.count >= Self.large) {
                    try Registration.perform($0, [registration])[0]
                }
            }
        if let refusal = registered.refusal { throw refusal }
        if registered.isNew { wake(StoreChange(.work)) }
        return registered.jobs
    }

    func registration(
        of requests: [JobRequest], user: User, key: IdempotencyKey? = nil, makesQueues: Bool = true,
        by actor: Requester?
    ) -> Registration {
        let now = world.now()
        let uids = LogUID.make(requests.count, now: now, random: world.random)
        return Registration(
            jobs: zip(requests, uids).map { Self.job(from: $0, user: user, logUID: $1, now: now) }, user: user,
            actor: actor, key: key, waitingLimit: configuration.limits.of(user.name).waiting,
            makesQueues: makesQueues, made: now, keysSince: now.adding(seconds: -configuration.idempotencySeconds))
    }

    private static func job(from request: JobRequest, user: User, logUID: String, now: Timestamp) -> Job {
        var job = Job(
            id: 0, userID: user.id, queue: request.queue, type: request.type, protocolName: request.protocolName,
            status: .submitted, source: request.source, destination: request.destination, options: request.options,
            priority: request.priority, maxTries: request.maxTries, label: request.label,
            deadline: deadline(of: request, registered: now), logUID: logUID, registered: now, changed: now,
            counts: StatusCounts())
        job.executionSeconds = request.executionSeconds ?? 0
        job.destruction = request.destruction
        if let task = request.task {
            var document = job.parameters
            document[JobRequest.taskName] = .string(task)
            job.draft = JobDraft(document: document)
        }
        return job
    }

    /// The earlier of the two that a request may name.
    static func deadline(of request: JobRequest, registered: Timestamp) -> Timestamp? {
        let latest = request.maxQueueTime.map { registered.adding(seconds: Double($0)) }
        return [request.deadline, latest].compactMap(\.self).min()
    }
}

extension EngineError {
    /// 429 for a registration past the limit of what waits.
    static func tooMuchWaits(_ waiting: Int, of limit: Int) -> EngineError {
        EngineError(
            .overLimit, code: "too_much_waits",
            detail: "\(waiting) elements of this user wait, and \(limit) may; nothing was registered.",
            hint: "Send it again when some of it has been handed out; what is registered goes on.")
    }

    /// 404 where what was registered under a key is gone since.
    public static let goneSince = EngineError(
        .notFound, code: "job_gone", detail: "What was registered under this Idempotency-Key was removed since.",
        hint: "Use another key to register it anew.")

    /// 413 for more than ever may wait.
    static func neverFits(_ count: Int, in limit: Int) -> EngineError {
        EngineError(
            .tooLarge, code: "too_many",
            detail: "\(count) jobs in one request: \(limit) elements of this user may wait.",
            hint: "Send them in several requests.")
    }
}
