public import HaulModel

// Jobs whose time is over: first hidden, then their logs removed, then their rows, in pieces; the job's own goes last.
extension StoreReader {
    /// Hidden jobs that are not all gone, by id, after one of them.
    public func forgottenJobs(after: Int = 0, limit: Int) throws -> [(id: Int, logUID: String)] {
        try db.rows(
            "SELECT id, log_uid FROM jobs WHERE forgotten IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
            [.int(after), .int(limit)]
        ) { ($0.int(0), $0.text(1)) }
    }
}

extension StoreReader {
    /// Whether a job has ended, or is gone.
    public func isOver(logUID: String) throws -> Bool {
        let status = try db.first("SELECT status FROM jobs WHERE log_uid = $1", [.text(logUID)]) { $0.int(0) }
        return status.map { [1, 2, 5].contains($0) } ?? true
    }
}

extension StoreWriter {
    /// Hides jobs that ended before a time, and those that were not committed and that nobody has touched since then; but
    /// for those that their users keep.
    ///
    /// - Returns: how many.
    public func forgetJobs(untouchedSince time: Timestamp, now: Timestamp, limit: Int) throws -> Int {
        var stages: [QueueStage: Int] = [:]
        var count = 0
        for which in ["status IN (1, 2, 5)", "sound = 0"] {
            count += try db.run(
                """
                UPDATE jobs SET forgotten = $2 WHERE id IN
                    (SELECT id FROM jobs WHERE \(which) AND keep = 0 AND changed < $1 AND forgotten IS NULL
                    ORDER BY changed LIMIT $3)
                RETURNING queue_id, status
                """, [.int(time.milliseconds), .int(now.milliseconds), .int(limit)]
            ) { row in
                guard let status = Status(rawValue: row.int(1)) else { return }
                let stage = JobMachine.stage(status, hasStarted: false)
                stages[QueueStage(queueID: row.int(0), stage: stage), default: 0] -= 1
            }
        }
        try countStages(stages)
        return count
    }

    /// Removes a piece of a hidden job's rows.
    ///
    /// - Returns: false once all is gone.
    public func removeForgotten(job: Int, limit: Int) throws -> Bool {
        let attempts = try db.run(
            """
            DELETE FROM attempts WHERE job_id = $1 AND (element_id, number) IN
                (SELECT element_id, number FROM attempts WHERE job_id = $1 LIMIT $2)
            """, [.int(job), .int(limit)])
        guard attempts < limit else { return true }
        let elements = try db.run(
            "DELETE FROM elements WHERE job_id = $1 AND id IN (SELECT id FROM elements WHERE job_id = $1 LIMIT $2)",
            [.int(job), .int(limit)])
        guard elements < limit else { return true }
        guard try !forgetKeptDirectories(ofJob: job, limit: limit) else { return true }
        try forgetDepths(ofJob: job)
        try removeProperties(ofJob: job)
        try removeJoined(job: job)
        try db.run("DELETE FROM jobs WHERE id = $1 AND forgotten IS NOT NULL", [.int(job)])
        return false
    }
}
