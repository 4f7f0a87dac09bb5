public import HaulModel

// Jobs that are handed out to one who is no worker, as wholes.

/// An attempt of one who popped it and was silent for too long.
public struct EndedPop: Sendable {
    public var id: AttemptID
    public var until: Timestamp
}

extension StoreReader {
    /// The first of a queue that can be popped: of the highest priority the oldest job that is handed out as a whole.
    public func poppable(inQueue queue: Int, ofUser user: Int) throws -> Element? {
        let lanes = try db.rows(
            "SELECT id, priority FROM lanes WHERE user_id = $1 AND queue_id = $2 AND ready > 0 ORDER BY priority, id",
            [.int(user), .int(queue)]
        ) { (id: $0.int(0), priority: $0.int(1)) }
        // What was in it when it was removed is on its way out.
        let doomed = try db.first("SELECT doomed FROM queues WHERE id = $1", [.int(queue)]) { $0.optionalInt(0) } ?? nil
        var best: (job: Int, priority: Int)?
        for lane in lanes {
            if let best, best.priority < lane.priority { break }
            let job = try db.first(
                """
                SELECT id FROM jobs INDEXED BY jobs_poppable WHERE lane_id = $1 AND id > $2 AND n_ready > 0 AND COALESCE(intent, 3) = 3
                    AND expansion IS NULL
                    AND n_new + n_done + n_failed + n_submitted + n_running + n_cancelled = 1 ORDER BY id LIMIT 1
                """, [.int(lane.id), .int(doomed ?? 0)]
            ) { $0.int(0) }
            if let job, best.map({ job < $0.job }) ?? true { best = (job, lane.priority) }
        }
        return try best.flatMap { try element(0, ofJob: $0.job) }
    }

    /// Attempts that were popped and whose leases have ended, the longest ended first, after one of them.
    public func endedPops(now: Timestamp, after: EndedPop?, limit: Int) throws -> [EndedPop] {
        try db.rows(
            """
            SELECT job_id, element_id, number, until FROM attempts
            WHERE until IS NOT NULL AND ended IS NULL AND until <= $1 AND (until, job_id, element_id) > ($2, $3, $4)
            ORDER BY until, job_id, element_id LIMIT $5
            """,
            [
                .int(now.milliseconds), .int(after?.until.milliseconds ?? 0), .int(after?.id.jobID ?? 0),
                .int(after?.id.elementID ?? 0), .int(limit),
            ]
        ) { row in
            EndedPop(
                id: AttemptID(jobID: row.int(0), elementID: row.int(1), number: row.int(2)),
                until: Timestamp(milliseconds: row.int(3)))
        }
    }

    /// When the lease of one who popped it ends; nil where it does not.
    public func popEnds(_ id: AttemptID) throws -> Timestamp? {
        try db.first(
            "SELECT until FROM attempts WHERE job_id = $1 AND element_id = $2 AND number = $3",
            [.int(id.jobID), .int(id.elementID), .int(id.number)]
        ) { $0.optionalInt(0).map(Timestamp.init(milliseconds:)) } ?? nil
    }

    /// A page of a job's attempts that run by element, its workers' and others', after one of its elements.
    public func liveAttempts(ofJob job: Int, after element: Int, limit: Int) throws -> [Attempt] {
        try db.rows(
            """
            SELECT \(attemptColumns) FROM attempts a INDEXED BY attempts_one_live
            WHERE job_id = $1 AND ended IS NULL AND element_id > $2 ORDER BY element_id LIMIT $3
            """, [.int(job), .int(element), .int(limit)], Self.attempt)
    }

    /// A page of a job's elements that wait between two tries, or were popped, by id, after one of them.
    public func heldBack(ofJob job: Int, after element: Int, limit: Int) throws -> [Element] {
        var result: [Element] = []
        for phase in [Phase.popped, .delayed] where result.isEmpty {
            guard let index = Self.waitingIndexes.first(where: { $0.key == phase })?.value else { continue }
            result = try db.rows(
                """
                SELECT \(elementColumns) FROM elements INDEXED BY \(index)
                WHERE job_id = $1 AND phase = \(phase.rawValue) AND id > $2 ORDER BY id LIMIT $3
                """, [.int(job), .int(element), .int(limit)], Self.element)
        }
        return result
    }
}

extension Ask {
    /// How jobs ended that did, by id: of one that failed what the element says for which it did (``Job/culprit``), of one
    /// that is done and has a single element what that says. One that was cancelled says nothing.
    public static func outcomes(of jobs: [Job]) -> Question<[Int: JobOutcome]> {
        let ended = jobs.filter { $0.stage == .failed || $0.stage == .done && $0.counts.total == 1 }
        return Question(
            """
            SELECT e.job_id, e.class, e.reason, a.returncode, a.reason FROM elements e
            LEFT JOIN attempts a ON \(StoreReader.lastAttempt)
            WHERE e.job_id = $1 AND e.id = CASE WHEN CAST($2 AS BIGINT) = 1 THEN 0 ELSE
                \(StoreReader.culprit("CAST($1 AS BIGINT)", "CAST($3 AS BIGINT)")) END
            """, batch: ended.map { [.int($0.id), .int($0.counts.total), SQLValue($0.culprit)] }, nothing: [:]
        ) { found, number, row in
            let reason = row.optionalText(2) ?? row.optionalText(4) ?? row.optionalText(1)
            found[ended[number].id] = JobOutcome(code: row.optionalInt(3), message: reason)
        }
    }
}

extension StoreReader {
    /// The attempt that an element `e` ended with: not one before its job's deadline passed.
    static let lastAttempt = """
        a.job_id = e.job_id AND a.element_id = e.id AND a.number = e.attempts
            AND COALESCE(a.class, '') = COALESCE(e.class, '')
        """

    public func outcomes(of jobs: [Job]) throws -> [Int: JobOutcome] { try answer(to: Ask.outcomes(of: jobs)) }
}

extension StoreWriter {
    /// Records that somebody popped an element.
    ///
    /// - Parameter until: when their lease ends; nil is never.
    public func insertPop(_ id: AttemptID, by name: String, now: Timestamp, until: Timestamp?) throws {
        try db.later(
            """
            INSERT INTO attempts (job_id, element_id, number, session_id, worker, started, until)
            VALUES ($1, $2, $3, 0, $4, $5, $6)
            """,
            batch: [
                [
                    .int(id.jobID), .int(id.elementID), .int(id.number), .text(name), .int(now.milliseconds),
                    SQLValue(until?.milliseconds),
                ]
            ])
    }

    /// Has one who popped an element keep it for longer.
    public func renewPop(_ id: AttemptID, until: Timestamp?) throws {
        try db.run(
            "UPDATE attempts SET until = $4 WHERE job_id = $1 AND element_id = $2 AND number = $3 AND session_id = 0",
            [.int(id.jobID), .int(id.elementID), .int(id.number), SQLValue(until?.milliseconds)])
    }
}
