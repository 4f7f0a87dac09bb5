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

    /// Which of a user's newest jobs whose data is at a site in the end are of a type and begin at a path.
    ///
    /// - Parameters:
    ///   - place: the site: the destination's, of a job without one the source's.
    ///   - newer: their ids are above this one.
    ///   - depth: of the user's jobs at the site so many are looked at.
    ///   - begins: whether a source's path is the one that is looked for.
    /// - Returns: their ids, the newest first; and the newest that was looked at, `newer` where there was none.
    public func jobs(
        of type: JobType, at place: Int, user: Int, newer: Int, depth: Int, where begins: (String) -> Bool
    ) throws -> (found: [Int], newest: Int) {
        var found: [Int] = []
        var newest = newer
        try db.run(
            """
            SELECT j.id, j.type, j.src_path FROM jobs j
            WHERE j.user_id = $1 AND COALESCE(j.dst_site, j.src_site) = $2 AND j.id > $3 ORDER BY j.id DESC LIMIT $4
            """, [.int(user), .int(place), .int(newer), .int(depth)]
        ) { row in
            newest = max(newest, row.int(0))
            if row.int(1) == type.rawValue, begins(row.text(2)) { found.append(row.int(0)) }
        }
        return (found, newest)
    }

    /// A job as users see it, where who asks for the same may be given it: it waits, runs or is DONE, and is neither about to
    /// be cancelled, to fail at its deadline, or to go with its queue, nor forgotten.
    public func joinableJob(_ id: Int) throws -> Job? {
        try db.first(
            """
            SELECT \(Self.fullColumns) FROM jobs j JOIN queues q ON q.id = j.queue_id
            WHERE j.id = $1 AND j.unjoined = 0 AND j.status IN (1, 3, 4) AND \(Self.isVisible)
                AND COALESCE(j.intent, 3) = 3 AND COALESCE(q.doomed, 0) < j.id
            """, [.int(id)], Self.job)
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

    /// Has a job not be joined any more, and not be found by what it does.
    public func forgetJoined(job: Int) throws {
        try removeJoined(job: job)
        try db.run("UPDATE jobs SET unjoined = 1 WHERE id = $1", [.int(job)])
    }

    func removeJoined(job: Int) throws {
        try db.run("DELETE FROM joined_jobs WHERE job_id = $1", [.int(job)])
    }
}
