public import HaulModel

extension StoreReader {
    /// Whether somebody waits for a job's progress, at whichever server.
    public func isWatched(_ job: Int, now: Timestamp) throws -> Bool {
        try db.first("SELECT until FROM watches WHERE job_id = $1", [.int(job)]) { $0.int(0) }
            .map { $0 > now.milliseconds } ?? false
    }
}

extension StoreWriter {
    /// Somebody waits for a job's progress until then at least.
    public func watch(_ job: Int, until: Timestamp) throws {
        try db.run(
            """
            INSERT INTO watches (job_id, until) VALUES ($1, $2) ON CONFLICT (job_id) DO UPDATE SET until = excluded.until
            """, [.int(job), .int(until.milliseconds)])
    }

    /// - Returns: how many were forgotten.
    public func forgetWatches(overBefore: Timestamp, limit: Int) throws -> Int {
        try db.run(
            "DELETE FROM watches WHERE job_id IN (SELECT job_id FROM watches WHERE until < $1 LIMIT $2)",
            [.int(overBefore.milliseconds), .int(limit)])
    }
}
