public import HaulModel
import HaulStore

/// What the server tells a worker in answer to a heartbeat.
public struct HeartbeatAnswer: Sendable {
    /// What nobody wants any more.
    public var stop: [String]
    /// What the server does not know it to hold.
    public var unknown: [String]
    /// Ask for no more work.
    public var drain: Bool
}

extension Engine {
    /// Starts a session; the one that the worker had ends, and what it held is handed out again.
    ///
    /// - Throws: `.unauthorized` when the token was revoked meanwhile: the worker keeps the session that it has;
    ///   `.conflict` where the worker lives and has another token.
    public func startSession(
        _ worker: WorkerRecord, bearer: TokenRecord, by actor: Requester? = nil
    ) async throws -> Session {
        let session = try await write(waking: StoreChange(.rescue)) { [self] writer in
            let now = world.now()
            // What a worker holds is nobody's to take who only knows its name.
            if let held = try writer.reader.session(ofWorker: worker.name), held.tokenID != bearer.id,
                held.isLive(at: now)
            {
                throw EngineError.nameTaken(worker.name)
            }
            let id = try writer.putWorker(worker, now: now)
            try writer.note(Deed(.startSession, worker.name), by: actor, now: now)
            try writer.endSessions(ofWorker: id, now: now)
            let session = try writer.startSession(
                workerID: id, tokenID: bearer.id, worker: worker.name, now: now,
                expires: now.adding(seconds: configuration.leaseSeconds))
            guard let session else { throw EngineError.tokenRevoked }
            return session
        }
        return session
    }

    /// Renews every lease of a session, and agrees with the worker on what it holds.
    ///
    /// What the worker holds and the server does not know is answered as unknown. What the server handed out and the
    /// worker does not hold, although it had the time to say so, never reached it: it is lost and handed out again.
    ///
    /// - Parameter holding: `"JOB.ELEMENT.ATTEMPT"`.
    public func heartbeat(
        session id: Int, holding: Set<String>, _ beat: HeartbeatRecord, bearer: TokenRecord
    ) async throws -> HeartbeatAnswer {
        let (live, missing, unwanted, drain) = try await store.write {
            [self] writer -> (Set<String>, [AttemptID], [String], Bool) in
            let now = world.now()
            guard let session = try writer.reader.session(id), session.tokenID == bearer.id, session.isLive(at: now)
            else { throw EngineError.sessionEnded }
            try writer.renewSession(id, expires: now.adding(seconds: configuration.leaseSeconds))
            if let worker = session.workerID { try writer.touchWorker(worker, beat, now: now) }
            let attempts = try writer.reader.liveAttempts(ofSession: id, limit: 1_000_000)
            let old = now.adding(seconds: -2 * configuration.heartbeatSeconds)
            let missing = attempts.filter { $0.started <= old && !holding.contains($0.id.description) }.map(\.id)
            let unwanted = try writer.reader.unwantedAttempts(ofSession: id, limit: 10_000).map(\.description)
            return (Set(attempts.map(\.id.description)), missing, unwanted, try writer.reader.isDrained(session: id))
        }
        for start in stride(from: 0, to: missing.count, by: configuration.dutyPiece) {
            let piece = Array(missing[start..<min(start + configuration.dutyPiece, missing.count)])
            try await lose(
                piece, because: "the worker does not hold it: the answer to its claim was lost", .unheld)
        }
        return HeartbeatAnswer(stop: unwanted, unknown: holding.subtracting(live).sorted(), drain: drain)
    }
}
