import HaulCrypto
public import HaulModel
import HaulStore

/// Jobs that stand for what was asked: whoever of a user asks for the same again gets the same job, while it runs and once
/// it is DONE. One that failed or was cancelled is forgotten, and the next who asks gets a new one.
extension Engine {
    /// The job of a user that does what is asked; registers it where there is none.
    ///
    /// It is found and kept in one transaction, under a key that the database has once: of many who ask at the same time,
    /// at whichever server, one registers. One that was registered without being joined, among the newest 10,000 of the user
    /// at its site, is given the key when it is found.
    ///
    /// - Parameter request: what it does counts (``JobLikeness``), and for a job that has not ended its queue and all that ends
    ///   it in time, too; priority, label and the like are those of who asked first.
    /// - Returns: the job as it is now, and whether it was registered just now.
    /// - Throws: `.overLimit` where too much of the user waits.
    public func join(
        _ request: JobRequest, user: User, by actor: Requester? = nil
    ) async throws -> (job: Job, isNew: Bool) {
        let key = request.joinKey
        let (known, others) = try await store.ask { reader -> (Job?, Alike) in
            if let job = try reader.joinedJob(key: key, user: user.id), job.canBeJoined { return (job, Alike()) }
            return (nil, try Alike(request, user, reader))
        }
        if let known { return (known, false) }
        let registration = registration(of: [request], user: user, by: actor)
        let made = try await store.write { writer in
            if let job = try writer.reader.joinedJob(key: key, user: user.id), job.canBeJoined { return (job, false) }
            if let job = try others.renewed(request, user, writer.reader).first(for: request, writer.reader) {
                try writer.keepJoined(job: job.id, key: key, user: user.id)
                return (job, false)
            }
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
        try await store.write { try $0.forgetJoined(job: id) }
    }

    /// The job that would be joined; nil where a new one would be registered.
    public func joined(_ request: JobRequest, user: User) async throws -> Job? {
        let key = request.joinKey
        return try await store.ask { reader -> Job? in
            if let job = try reader.joinedJob(key: key, user: user.id), job.canBeJoined { return job }
            return try Alike(request, user, reader).first(for: request, reader)
        }
    }
}

/// Jobs of a user that may do what is asked, however they were registered, the newest first. No index tells them: one over
/// what jobs do would cost each registration much, and who asks for what nobody joined yet asks once.
struct Alike {
    /// Of a user's jobs at a site so many are looked at, and so many of those are compared.
    private static let (depth, most) = (10_000, 100)
    private var ids: [Int] = []
    /// The newest that was looked at.
    private(set) var newest = 0

    /// None.
    init() {}

    init(_ request: JobRequest, _ user: User, _ reader: StoreReader) throws {
        self = try Self().renewed(request, user, reader)
    }

    /// Those that were registered since, and these. One that was a draft before and is committed now is not among them.
    func renewed(_ request: JobRequest, _ user: User, _ reader: StoreReader) throws -> Self {
        let path = TransferPath.normalized(request.source.path)
        let since = try reader.jobs(
            of: request.type, at: (request.destination ?? request.source).siteID, user: user.id, newer: newest,
            depth: Self.depth
        ) { TransferPath.normalized($0) == path }
        var all = self
        all.ids = Array((since.found + ids).prefix(Self.most))
        all.newest = since.newest
        return all
    }

    /// The newest that does what is asked, as it is now.
    func first(for request: JobRequest, _ reader: StoreReader) throws -> Job? {
        let likeness = JobLikeness(request)
        for id in ids {
            if let job = try reader.joinableJob(id), JobLikeness(job) == likeness, job.stands(for: request) {
                return job
            }
        }
        return nil
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

extension Job {
    /// Whether one that does the same may stand for what is asked. What is DONE waits nowhere and is ended by nothing any
    /// more; but a TASK is one of its queue's, whose text says the rest.
    fileprivate func stands(for request: JobRequest) -> Bool {
        if stage == .done, type != .task { return true }
        return queue == request.queue && request.maxQueueTime == nil && deadline == request.deadline
            && executionSeconds == request.executionSeconds ?? 0 && destruction == request.destruction
    }
}

extension JobRequest {
    /// SHA-256 of what it does, where it waits, and what ends it: none is joined that waits elsewhere, or ends otherwise.
    fileprivate var joinKey: [UInt8] {
        var writer = JSONWriter()
        writer.array { writer in
            JobLikeness(self).write(to: &writer)
            writer.value(queue)
            for number in [deadline?.milliseconds, maxQueueTime, executionSeconds ?? 0, destruction?.milliseconds] {
                writer.value(number)
            }
        }
        return Hash.sha256(writer.bytes)
    }
}
