public import HaulModel

// Jobs that whoever of a user asks for the same joins: one a key.
extension StoreReader {
    /// The job that was kept under a key, as users see it; none that is about to be cancelled, to fail at its deadline, or
    /// to go with its queue.
    public func joinedJob(key: [UInt8], user: Int) throws -> Job? {
        try db.first(
            """
            SELECT \(Self.fullColumns) FROM joined_jobs k JOIN jobs j ON j.id = k.job_id JOIN queues q ON q.id = j.queue_id
            WHERE k.user_id = $1 AND k.key = $2 AND \(Self.isVisible) AND COALESCE(j.intent, 3) = 3
                AND COALESCE(q.doomed, 0) < j.id
            """, [.int(user), .blob(key)], Self.job)
    }
}

extension StoreWriter {
    /// Keeps a job under a key, in the place of the one before.
    ///
    /// - Parameter key: 32 bytes.
    public func keepJoined(job: Int, key: [UInt8], user: Int) throws {
        try db.run(
            """
            INSERT INTO joined_jobs (user_id, key, job_id) VALUES ($1, $2, $3)
            ON CONFLICT (user_id, key) DO UPDATE SET job_id = excluded.job_id
            """, [.int(user), .blob(key), .int(job)])
    }

    public func removeJoined(job: Int) throws {
        try db.run("DELETE FROM joined_jobs WHERE job_id = $1", [.int(job)])
    }
}
