import HaulCrypto
public import HaulModel
import HaulStore

/// Jobs that stand for what was asked: whoever of a user asks for the same again gets the same job, while it runs and once
/// it is DONE. One that failed or was cancelled is forgotten, and the next who asks gets a new one.
extension Engine {
    /// The job of a user that does what is asked; registers it where there is none.
    ///
    /// It is found and kept in one transaction, under a key that the database has once: of many who ask at the same time,
    /// at whichever server, one registers.
    ///
    /// - Parameter request: its type, protocol, places, options, queue, and all that ends it in time count; priority, label
    ///   and the like are those of who asked first.
    /// - Returns: the job as it is now, and whether it was registered just now.
    /// - Throws: `.overLimit` where too much of the user waits.
    public func join(
        _ request: JobRequest, user: User, by actor: Requester? = nil
    ) async throws -> (job: Job, isNew: Bool) {
        if let job = try await joined(request, user: user) { return (job, false) }
        let registration = registration(of: [request], user: user, by: actor)
        let key = request.joinKey
        let made = try await store.write { writer in
            if let job = try writer.reader.joinedJob(key: key, user: user.id), job.canBeJoined { return (job, false) }
            let outcome = try Registration.perform(writer, [registration])[0]
            if let refusal = outcome.refusal { throw refusal }
            guard let job = outcome.jobs.first else { throw StoreError.failed("a registration had no job") }
            try writer.keepJoined(job: job.id, key: key, user: user.id)
            return (job, true)
        }
        if made.1 { wake(StoreChange(.work)) }
        return made
    }

    /// Has a job not be joined any more: what it made is gone.
    public func forgetJoined(job id: Int) async throws {
        try await store.write { try $0.removeJoined(job: id) }
    }

    /// The job that would be joined; nil where a new one would be registered.
    public func joined(_ request: JobRequest, user: User) async throws -> Job? {
        let key = request.joinKey
        let job = try await store.ask { try $0.joinedJob(key: key, user: user.id) }
        return job.flatMap { $0.canBeJoined ? $0 : nil }
    }
}

extension Job {
    fileprivate var canBeJoined: Bool {
        switch stage {
        case .uncommitted, .waiting, .executing, .done: true
        case .failed, .cancelled: false
        }
    }
}

extension JobRequest {
    /// SHA-256 of what it does.
    fileprivate var joinKey: [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            writer.value(type.name)
            writer.value(protocolName.name)
            for place in [source, destination] {
                writer.value(place?.siteID)
                // However its place is spelled.
                writer.value(place.map { TransferPath.normalized($0.path) })
            }
            writer.value(options)
            if type == .task { writer.value(task) }
            // None is joined that waits elsewhere, or ends otherwise.
            writer.value(queue)
            for number in [deadline?.milliseconds, maxQueueTime, executionSeconds ?? 0, destruction?.milliseconds] {
                writer.value(number)
            }
        }
        return Hash.sha256(writer.bytes)
    }
}
