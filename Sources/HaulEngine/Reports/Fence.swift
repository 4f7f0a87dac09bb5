import HaulLogs
import HaulModel
import HaulStore

/// What a token's lease is worth now.
struct Lease: Sendable {
    var id: AttemptID
    var attempt: Attempt
    var element: Element
    var logUID: String
    var jobType: JobType
    /// Of a claim without a session: who runs it is known by its report alone.
    var isSessionless: Bool
    /// False once the attempt ended, or its session did, or its time came.
    var isLive: Bool
    /// What the attempt sent before was on a server that is gone.
    var isTakenOver = false

    /// Of a LIST its listing is all that there is to tell; one that a COPY or REMOVE begins with is none of the bytes that
    /// these move.
    private var movesNothing: Bool { element.type == .list && jobType != .list }

    /// Bytes that the attempt moved, by what its worker says: -1 is the element's size.
    func moved(_ bytes: Int) -> Int { movesNothing ? 0 : bytes < 0 ? element.size : bytes }

    /// What the attempt moved so far, by what its worker says.
    func moved(_ progress: Attempt.Progress) -> Attempt.Progress {
        var result = progress
        result.transferred = moved(progress.transferred)
        if movesNothing { (result.instant, result.average) = (0, 0) }
        return result
    }

    var key: AttemptKey { AttemptKey(logUID: logUID, element: id.elementID, attempt: id.number) }
}

extension Engine {
    /// Checks a token before anything of its request is looked at.
    ///
    /// - Throws: `.unauthorized` for a token that is none of ours, `.forbidden` for another element's.
    public func checkToken(_ token: String, job: Int, element: Int) throws(EngineError) {
        _ = try proven(token, job: job, element: element)
    }

    /// The attempt that a token proves a lease on.
    ///
    /// - Throws: `.unauthorized` for a token that is none of ours, `.forbidden` for another element's.
    func proven(_ token: String, job: Int, element: Int) throws(EngineError) -> AttemptID {
        guard let id = tokens.attempt(of: token) else {
            throw EngineError(
                .unauthorized, code: "bad_element_token", detail: "The token is no element's token of this server.",
                hint: "Send the token that came with the element, in X-Token or as a bearer token.")
        }
        guard id.jobID == job, id.elementID == element else {
            throw EngineError(
                .forbidden, code: "other_elements_token", detail: "The token belongs to another element.",
                hint: "Send the token that came with element \(element) of job \(job).")
        }
        return id
    }
}

/// Reads leases as they stand in the database, at one moment. What they share - jobs, sessions - is read once.
final class Fence {
    private let reader: StoreReader
    private let now: Timestamp
    private var jobs: [Int: (logUID: String, type: JobType)] = [:]
    private var sessions: [Int: Session] = [:]

    init(_ reader: StoreReader, now: Timestamp) {
        self.reader = reader
        self.now = now
    }

    /// - Throws: `.notFound` when the job is gone.
    func lease(_ id: AttemptID) throws -> Lease {
        guard let lease = try leases([id]).first else { throw EngineError.noElement(id.elementID, ofJob: id.jobID) }
        return try lease.get()
    }

    /// The leases of several attempts, in order; `.notFound` for one whose job is gone.
    func leases(_ ids: [AttemptID]) throws -> [Result<Lease, EngineError>] {
        let (places, elements, attempts) = try reader.answers(
            to: Ask.logPlaces(ofJobs: Set(ids.map(\.jobID)).filter { jobs[$0] == nil }), Ask.elements(of: ids),
            Ask.attempts(ids))
        jobs.merge(places) { first, _ in first }
        let others = Set(attempts.compactMap { $0?.sessionID }).filter { sessions[$0] == nil }
        if !others.isEmpty { sessions.merge(try reader.answer(to: Ask.sessions(others))) { first, _ in first } }
        return ids.indices.map { lease(ids[$0], elements[$0], attempts[$0]) }
    }

    private func lease(_ id: AttemptID, _ element: Element?, _ attempt: Attempt?) -> Result<Lease, EngineError> {
        guard let job = jobs[id.jobID], let element, let attempt else {
            return .failure(EngineError.noElement(id.elementID, ofJob: id.jobID))
        }
        let session = sessions[attempt.sessionID]
        return .success(
            Lease(
                id: id, attempt: attempt, element: element, logUID: job.logUID, jobType: job.type,
                isSessionless: session.map { $0.workerID == nil } ?? false,
                isLive: attempt.ended == nil && session?.isLive(at: now) == true))
    }
}
