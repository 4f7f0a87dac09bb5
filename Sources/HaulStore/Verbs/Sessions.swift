public import HaulModel

private let sessionColumns = "s.id, s.worker_id, s.token_id, s.worker, s.expires, s.ended, s.revoked"

/// Who asks for work under a session.
public struct Claimant: Sendable {
    public var session: Session
    /// The names of the protocols that its worker announced; nil for the session of a claim without one.
    public var protocols: [String]?
    /// The sites that it announced; none means all.
    public var sites: [Int]
    /// It gets no more work.
    public var isDrained: Bool
}

extension Ask {
    /// Sessions by id; without those that are not there.
    public static func sessions(_ ids: some Collection<Int>) -> Question<[Int: Session]> {
        Question(
            "SELECT \(sessionColumns) FROM sessions s WHERE s.id = $1", batch: ids.map { [.int($0)] }, nothing: [:]
        ) { $0[$2.int(0)] = StoreReader.session($2) }
    }

    /// A session with what its worker announced; nil for none.
    public static func claimant(session id: Int?) -> Question<Claimant?> {
        Question(
            """
            SELECT \(sessionColumns), w.protocols, w.sites, w.drained
            FROM sessions s LEFT JOIN workers w ON w.id = s.worker_id WHERE s.id = $1
            """, batch: id.map { [[.int($0)]] } ?? [], nothing: nil
        ) { claimant, _, row in
            claimant = Claimant(
                session: StoreReader.session(row),
                protocols: try row.optionalText(7).map { try SQLJSON.value([String].self, $0) },
                sites: try row.optionalText(8).map { try SQLJSON.value([Int].self, $0) } ?? [],
                isDrained: row.optionalInt(9) != nil)
        }
    }
}

extension StoreReader {
    public func session(_ id: Int) throws -> Session? { try answer(to: Ask.sessions([id]))[id] }

    /// The session that a worker has; its time may have come. Nil for none.
    public func session(ofWorker name: String) throws -> Session? {
        try db.first(
            """
            SELECT \(sessionColumns) FROM sessions s
            WHERE worker_id = (SELECT w.id FROM workers w WHERE w.name = $1) AND ended IS NULL
            """, [.text(name)], Self.session)
    }

    /// Sessions whose time has come, the longest over first.
    public func expiredSessions(now: Timestamp, limit: Int) throws -> [Session] {
        try db.rows(
            "SELECT \(sessionColumns) FROM sessions s WHERE ended IS NULL AND expires <= $1 ORDER BY expires LIMIT $2",
            [.int(now.milliseconds), .int(limit)], Self.session)
    }

    /// Ended sessions whose leases have to be taken back, by id, after one of them.
    public func sessionsToRelease(after: Int = 0, limit: Int) throws -> [Session] {
        try db.rows(
            """
            SELECT \(sessionColumns) FROM sessions s WHERE ended IS NOT NULL AND released IS NULL AND id > $1
            ORDER BY id LIMIT $2
            """, [.int(after), .int(limit)], Self.session)
    }

    /// The attempts under a session's leases, by job and element, with the times at which they were handed out.
    public func liveAttempts(ofSession session: Int, limit: Int) throws -> [(id: AttemptID, started: Timestamp)] {
        try db.rows(
            """
            SELECT job_id, element_id, number, started FROM attempts WHERE session_id = $1 AND ended IS NULL
            ORDER BY job_id, element_id LIMIT $2
            """, [.int(session), .int(limit)]
        ) { row in
            (
                AttemptID(jobID: row.int(0), elementID: row.int(1), number: row.int(2)),
                Timestamp(milliseconds: row.int(3))
            )
        }
    }

    fileprivate static func session(_ row: any SQLRow) -> Session {
        Session(
            id: row.int(0), workerID: row.optionalInt(1), tokenID: row.int(2), worker: row.text(3),
            expires: Timestamp(milliseconds: row.int(4)), ended: row.optionalInt(5).map(Timestamp.init(milliseconds:)),
            revoked: row.optionalText(6))
    }
}

extension StoreWriter {
    /// Keeps what a worker says of itself.
    ///
    /// - Returns: its id.
    public func putWorker(_ worker: WorkerRecord, now: Timestamp) throws -> Int {
        let id = try db.first(
            """
            INSERT INTO workers (name, host, version, slots, protocols, sites, seen) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (name) DO UPDATE SET host = excluded.host, version = excluded.version, slots = excluded.slots,
                protocols = excluded.protocols, sites = excluded.sites, seen = excluded.seen
            RETURNING id
            """,
            [
                .text(worker.name), .text(worker.host), .text(worker.version), .int(worker.slots),
                .text(try SQLJSON.text(worker.protocols)), .text(try SQLJSON.text(worker.sites)),
                .int(now.milliseconds),
            ]
        ) { $0.int(0) }
        guard let id else { throw StoreError.failed("a worker got no id") }
        return id
    }

    /// Keeps what a heartbeat says of its worker.
    public func touchWorker(_ id: Int, _ beat: HeartbeatRecord, now: Timestamp) throws {
        try db.run(
            """
            UPDATE workers SET seen = $2, load = COALESCE($3, load), slots = COALESCE($4, slots),
                protocols = COALESCE($5, protocols), sites = COALESCE($6, sites) WHERE id = $1
            """,
            [
                .int(id), .int(now.milliseconds), SQLValue(beat.load), SQLValue(beat.slots),
                SQLValue(try beat.protocols.map(SQLJSON.text)), SQLValue(try beat.sites.map(SQLJSON.text)),
            ])
    }

    /// Ends the session that a worker has, if it has one.
    public func endSessions(ofWorker worker: Int, now: Timestamp) throws {
        try db.run(
            "UPDATE sessions SET ended = $2 WHERE worker_id = $1 AND ended IS NULL",
            [.int(worker), .int(now.milliseconds)])
    }

    public func endSession(_ id: Int, now: Timestamp) throws {
        try db.run(
            "UPDATE sessions SET ended = $2 WHERE id = $1 AND ended IS NULL", [.int(id), .int(now.milliseconds)])
    }

    /// Starts a session.
    ///
    /// - Returns: nil where the token was revoked meanwhile.
    public func startSession(
        workerID: Int?, tokenID: Int, worker: String, now: Timestamp, expires: Timestamp
    ) throws -> Session? {
        // A revocation of the token is through, or comes after this transaction and finds its session.
        guard
            try db.first("SELECT id FROM tokens WHERE id = $1 AND revoked IS NULL", [.int(tokenID)], { $0.int(0) })
                != nil
        else { return nil }
        let id = try db.first(
            """
            INSERT INTO sessions (worker_id, token_id, worker, started, expires) VALUES ($1, $2, $3, $4, $5) RETURNING id
            """,
            [SQLValue(workerID), .int(tokenID), .text(worker), .int(now.milliseconds), .int(expires.milliseconds)]
        ) { $0.int(0) }
        guard let id else { throw StoreError.failed("a session got no id") }
        return Session(id: id, workerID: workerID, tokenID: tokenID, worker: worker, expires: expires, ended: nil)
    }

    /// Renews every lease of a session.
    public func renewSession(_ id: Int, expires: Timestamp) throws {
        try db.run(
            "UPDATE sessions SET expires = $2 WHERE id = $1 AND ended IS NULL", [.int(id), .int(expires.milliseconds)])
    }

    /// Notes that an ended session holds nothing any more.
    public func releaseSession(_ id: Int, now: Timestamp) throws {
        try db.run(
            "UPDATE sessions SET released = $2 WHERE id = $1 AND ended IS NOT NULL AND released IS NULL",
            [.int(id), .int(now.milliseconds)])
    }

    /// Forgets workers that were not heard of for long and have no session.
    ///
    /// - Returns: how many.
    public func forgetWorkers(unseenSince: Timestamp, limit: Int) throws -> Int {
        try db.run(
            """
            DELETE FROM workers WHERE id IN
                (SELECT w.id FROM workers w WHERE w.seen < $1
                    AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.worker_id = w.id) LIMIT $2)
            """, [.int(unseenSince.milliseconds), .int(limit)])
    }

    /// Forgets sessions that were released long ago.
    ///
    /// - Returns: how many.
    public func forgetSessions(releasedBefore: Timestamp, limit: Int) throws -> Int {
        try db.run(
            "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE released < $1 LIMIT $2)",
            [.int(releasedBefore.milliseconds), .int(limit)])
    }
}
