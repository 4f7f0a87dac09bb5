public import HaulModel
import HaulStore

extension Engine {
    /// Registers jobs, all or none, and answers them once they are on disk.
    ///
    /// - Parameters:
    ///   - key: a repeated one of the same user gets the jobs of the first request, as they were answered.
    ///   - actor: who asks for it, for the record.
    /// - Throws: `EngineError.conflict` for a key that was used with another body.
    public func register(_ requests: [JobRequest], user: User, key: IdempotencyKey? = nil, by actor: Requester? = nil)
        async throws -> [Job]
    {
        let now = world.now()
        let uids = LogUID.make(requests.count, now: now, random: world.random)
        let jobs = zip(requests, uids).map { Self.job(from: $0, user: user, logUID: $1, now: now) }
        let registration = Registration(
            jobs: jobs, user: user, actor: actor, key: key, made: now,
            keysSince: now.adding(seconds: -configuration.idempotencySeconds))
        let registered =
            if jobs.count == 1 {
                try await store.write(registration, among: registrations, Registration.perform)
            } else {
                try await store.write(isLarge: jobs.count >= Self.large) {
                    try Registration.perform($0, [registration])[0]
                }
            }
        if registered.isNew { wake(StoreChange(.work)) }
        return registered.jobs
    }

    private static func job(from request: JobRequest, user: User, logUID: String, now: Timestamp) -> Job {
        Job(
            id: 0, userID: user.id, queue: request.queue, type: request.type, protocolName: request.protocolName,
            status: .submitted, source: request.source, destination: request.destination, options: request.options,
            priority: request.priority, maxTries: request.maxTries, label: request.label,
            deadline: deadline(of: request, registered: now), logUID: logUID, registered: now, changed: now,
            counts: StatusCounts())
    }

    /// The earlier of the two that a request may name.
    private static func deadline(of request: JobRequest, registered: Timestamp) -> Timestamp? {
        let latest = request.maxQueueTime.map { registered.adding(seconds: Double($0)) }
        return [request.deadline, latest].compactMap(\.self).min()
    }
}
