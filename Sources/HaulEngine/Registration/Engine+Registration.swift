import HaulCrypto
public import HaulModel
import HaulStore

/// What makes a repeated registration the same one.
public struct IdempotencyKey: Sendable, Hashable {
    public var key: String
    /// A hash of the request.
    let body: [UInt8]

    /// - Parameter request: all that has to be the same when it is repeated: method, path and body.
    public init(key: String, request: [UInt8]) {
        self.key = key
        body = Hash.sha256(request)
    }
}

extension Engine {
    /// Registers jobs, all or none, and answers them once they are on disk.
    ///
    /// - Parameter key: a repeated one of the same user gets the jobs of the first request, as they were answered.
    /// - Throws: `EngineError.conflict` for a key that was used with another body.
    public func register(_ requests: [JobRequest], user: User, key: IdempotencyKey? = nil) async throws -> [Job] {
        let now = world.now()
        let oldest = now.adding(seconds: -configuration.idempotencySeconds)
        let jobs = requests.map { job(from: $0, user: user, now: now) }
        let (registered, isNew) = try await store.write(isLarge: jobs.count >= Self.large) { writer -> ([Job], Bool) in
            if let key, let kept = try writer.reader.keptAnswer(user: user.id, key: key.key, since: oldest) {
                guard kept.body == key.body else { throw Self.otherBody(key.key) }
                return (try kept.jobIDs.compactMap { try writer.reader.job($0) }.map(Self.asRegistered), false)
            }
            var registered: [Job] = []
            registered.reserveCapacity(jobs.count)
            for job in jobs {
                registered.append(try writer.insertJob(job, first: Self.firstElement(of: job)))
            }
            if let key {
                let answer = KeptAnswer(body: key.body, jobIDs: registered.map(\.id))
                try writer.keepAnswer(answer, user: user.id, key: key.key, now: now)
            }
            return (registered, true)
        }
        if isNew { workBell.ring() }
        return registered
    }

    private func job(from request: JobRequest, user: User, now: Timestamp) -> Job {
        Job(
            id: 0, userID: user.id, queue: request.queue, type: request.type, protocolName: request.protocolName,
            status: .submitted, source: request.source, destination: request.destination, options: request.options,
            priority: request.priority, maxTries: request.maxTries, label: request.label,
            logUID: Text.hex(world.random(16)), registered: now, changed: now, counts: StatusCounts())
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

    private static func otherBody(_ key: String) -> EngineError {
        EngineError(
            .conflict, code: "idempotency_key_reused",
            detail: "The idempotency key \"\(key)\" was used for another request within the last day.",
            hint: "Use a new key for a new request, and the same body when repeating one.")
    }
}
