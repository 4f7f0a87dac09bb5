public import HaulModel
import HaulStore

extension Engine {
    /// Registers jobs, all or none, and answers them once they are on disk.
    ///
    /// - Parameter key: a repeated one of the same user gets the jobs of the first request, as they were answered.
    /// - Throws: `EngineError.conflict` for a key that was used with another body.
    public func register(_ requests: [JobRequest], user: User, key: IdempotencyKey? = nil) async throws -> [Job] {
        let now = world.now()
        let oldest = now.adding(seconds: -configuration.idempotencySeconds)
        let uids = LogUID.make(requests.count, now: now, random: world.random)
        let jobs = zip(requests, uids).map { Self.job(from: $0, user: user, logUID: $1, now: now) }
        let (registered, isNew) = try await store.write(isLarge: jobs.count >= Self.large) { writer -> ([Job], Bool) in
            if let kept = try writer.reader.keptAnswer(to: key, user: user, since: oldest) {
                return (try kept.jobIDs.compactMap { try writer.reader.job($0) }.map(Self.asRegistered), false)
            }
            let registered = try writer.insertJobs(jobs, first: Self.firstElement)
            try writer.keep(key, jobs: registered.map(\.id), user: user, now: now)
            writer.tell(StoreChange(.work))
            return (registered, true)
        }
        if isNew { wake(StoreChange(.work)) }
        return registered
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

    private static func firstElement(of job: Job) -> Element {
        Element(
            jobID: 0, id: 0, type: job.type.firstElement, phase: .ready, sourcePath: job.source.path,
            maxTries: job.maxTries, changed: job.registered)
    }

    /// A job as it was when it was answered first.
    private static func asRegistered(_ job: Job) -> Job {
        var first = job
        first.status = .submitted
        first.changed = job.registered
        return first
    }
}
