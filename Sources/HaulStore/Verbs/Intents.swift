public import HaulModel

// What is wanted of whole jobs, and done in pieces.
extension StoreReader {
    /// Jobs of which something is wanted that is not done yet, by id, after one of them. Those that only wait for what
    /// runs are left out.
    public func jobsToSweep(after: Int, limit: Int) throws -> [Int] {
        try db.rows(
            """
            SELECT id FROM jobs WHERE intent IS NOT NULL AND id > $1
                AND (intent = 3 OR n_open > n_submitted + n_running) ORDER BY id LIMIT $2
            """,
            [.int(after), .int(limit)]
        ) { $0.int(0) }
    }

    /// Jobs whose deadline has come, the longest over first, after one of them.
    public func overdueJobs(
        now: Timestamp, after: (deadline: Int, id: Int), limit: Int
    ) throws -> [(deadline: Int, id: Int)] {
        try db.rows(
            """
            SELECT deadline, id FROM jobs WHERE deadline IS NOT NULL AND status IN (3, 4) AND deadline <= $1
                AND (deadline, id) > ($2, $3) AND COALESCE(intent, 3) = 3 ORDER BY deadline, id LIMIT $4
            """, [.int(now.milliseconds), .int(after.deadline), .int(after.id), .int(limit)]
        ) { ($0.int(0), $0.int(1)) }
    }

    /// Jobs that took longer than they may, the longest over first, after one of them.
    public func overtimeJobs(now: Timestamp, after: (time: Int, id: Int), limit: Int) throws -> [(time: Int, id: Int)] {
        try db.rows(
            """
            SELECT must_end, id FROM jobs WHERE must_end IS NOT NULL AND status IN (3, 4) AND must_end <= $1
                AND (must_end, id) > ($2, $3) AND COALESCE(intent, 3) = 3 ORDER BY must_end, id LIMIT $4
            """, [.int(now.milliseconds), .int(after.time), .int(after.id), .int(limit)]
        ) { ($0.int(0), $0.int(1)) }
    }

    /// Jobs whose time of destruction has come and of which nobody wants it yet, the longest over first, after one of them.
    public func jobsToDestroy(now: Timestamp, after: (time: Int, id: Int), limit: Int) throws -> [(time: Int, id: Int)]
    {
        try db.rows(
            """
            SELECT destruction, id FROM jobs WHERE destruction IS NOT NULL AND forgotten IS NULL AND destruction <= $1
                AND (destruction, id) > ($2, $3) AND COALESCE(intent, 0) <> 4 ORDER BY destruction, id LIMIT $4
            """, [.int(now.milliseconds), .int(after.time), .int(after.id), .int(limit)]
        ) { ($0.int(0), $0.int(1)) }
    }

    /// Elements of a job that no worker has: held, ready, between tries or popped.
    public func waitingElements(ofJob job: Int, limit: Int) throws -> [Element] {
        var result: [Element] = []
        for (phase, index) in Self.waitingIndexes where result.count < limit {
            result += try db.rows(
                """
                SELECT \(elementColumns) FROM elements INDEXED BY \(index)
                WHERE job_id = $1 AND phase = \(phase.rawValue) LIMIT $2
                """, [.int(job), .int(limit - result.count)], Self.element)
        }
        return result
    }

    /// Elements of a job that ended and were not done, by id, among the `scanned` after one of them.
    ///
    /// - Returns: them, and the last that was looked at; nil for it at the end of the job.
    public func endedInVain(ofJob job: Int, after: Int, scanned: Int) throws -> (elements: [Element], last: Int?) {
        let last =
            try db.first(
                """
                SELECT MAX(id), COUNT(*) FROM
                    (SELECT id FROM elements WHERE job_id = $1 AND id > $2 ORDER BY id LIMIT $3) AS scanned
                """, [.int(job), .int(after), .int(scanned)]
            ) { $0.int(1) == scanned ? $0.optionalInt(0) : nil } ?? nil
        let elements = try db.rows(
            """
            SELECT \(elementColumns) FROM elements
            WHERE job_id = $1 AND id > $2 AND id <= $3 AND phase IN (6, 7) ORDER BY id
            """, [.int(job), .int(after), .int(last ?? Int.max)], Self.element)
        return (elements, last)
    }

    /// Attempts under a session's leases that nobody wants any more.
    public func unwantedAttempts(ofSession session: Int, limit: Int) throws -> [AttemptID] {
        try db.rows(
            """
            SELECT a.job_id, a.element_id, a.number FROM attempts a JOIN jobs j ON j.id = a.job_id
            JOIN elements e ON e.job_id = a.job_id AND e.id = a.element_id
            WHERE a.session_id = $1 AND a.ended IS NULL AND (j.intent IN (1, 2, 4) OR e.unwanted = 1) LIMIT $2
            """, [.int(session), .int(limit)]
        ) { AttemptID(jobID: $0.int(0), elementID: $0.int(1), number: $0.int(2)) }
    }
}

extension StoreWriter {
    /// Pauses or resumes a queue of a user, which is made if it is not there.
    public func setPaused(_ paused: Timestamp?, queue name: String, ofUser user: Int) throws {
        let id = try shownQueue(name, ofUser: user)
        try db.run(
            "UPDATE queues SET paused = CASE WHEN CAST($2 AS BIGINT) IS NULL THEN NULL ELSE COALESCE(paused, CAST($2 AS BIGINT)) END WHERE id = $1",
            [.int(id), SQLValue(paused?.milliseconds)])
    }
}
