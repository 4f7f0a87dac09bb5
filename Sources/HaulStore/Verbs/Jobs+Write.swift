public import HaulModel

extension StoreWriter {
    /// Each queue makes lanes, and each claim looks at every lane in which something waits.
    static let queuesOfUser = 100

    /// Registers a job with its first element, which waits to be handed out. The job's id and counts are the store's.
    public func insertJob(_ job: Job, first: Element) throws -> Job {
        let queueID = try queue(job.queue, ofUser: job.userID)
        let laneID = try lane(of: job, queueID: queueID)
        let id = try db.first(
            """
            INSERT INTO jobs (user_id, queue_id, lane_id, type, protocol, status, src_site, src_path, dst_site, dst_path,
                options, priority, max_tries, label, log_uid, registered, changed, deadline, n_new, n_open, n_ready)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 1, 1, 1) RETURNING id
            """,
            [
                .int(job.userID), .int(queueID), .int(laneID), .int(job.type.rawValue), .text(job.protocolName.name),
                .int(job.status.rawValue), .int(job.source.siteID), .text(job.source.path),
                SQLValue(job.destination?.siteID), SQLValue(job.destination?.path),
                .text(try SQLJSON.options(job.options)), .int(job.priority), .int(job.maxTries), SQLValue(job.label),
                .text(job.logUID), .int(job.registered.milliseconds), .int(job.changed.milliseconds),
                SQLValue(job.deadline?.milliseconds),
            ]
        ) { $0.int(0) }
        guard let id else { throw StoreError.failed("a job got no id") }
        try addReady(1, toLane: laneID)
        var element = first
        element.jobID = id
        try insertElement(element)
        var registered = job
        registered.id = id
        registered.counts.new = 1
        return registered
    }

    /// Writes what the engine decided of a job: status, counts, expansion, intent, time of change; its lane's count
    /// follows.
    ///
    /// - Parameter offeredBefore: the elements that the lane counted for it until now.
    public func updateJob(_ state: JobState, offeredBefore: Int) throws {
        let counts = state.job.counts
        try db.run(
            """
            UPDATE jobs SET status = $2, changed = $3, n_new = $4, n_done = $5, n_failed = $6, n_submitted = $7,
                n_running = $8, n_cancelled = $9, n_open = $10, n_ready = $11, expansion = $12, cut_expansion = $13,
                intent = $14, swept = $15, revision = revision + 1 WHERE id = $1
            """,
            [
                .int(state.job.id), .int(state.job.status.rawValue), .int(state.job.changed.milliseconds),
                .int(counts.new), .int(counts.done), .int(counts.failed), .int(counts.submitted), .int(counts.running),
                .int(counts.cancelled), .int(state.open), .int(state.ready), SQLValue(state.expansion),
                SQLValue(state.cutExpansion), SQLValue(state.intent?.rawValue), .int(state.swept),
            ])
        try addReady(state.offered - offeredBefore, toLane: state.laneID)
    }

    /// Moves a job, with all of it that waits, to the lane of another queue or priority, and writes what else a user may
    /// change.
    ///
    /// - Returns: its lane's id.
    public func changeJob(_ state: JobState, to job: Job) throws -> Int {
        let queueID = try queue(job.queue, ofUser: job.userID)
        let laneID = try lane(of: job, queueID: queueID)
        try db.run(
            """
            UPDATE jobs SET queue_id = $2, lane_id = $3, priority = $4, label = $5, deadline = $6, changed = $7,
                keep = $8 WHERE id = $1
            """,
            [
                .int(job.id), .int(queueID), .int(laneID), .int(job.priority), SQLValue(job.label),
                SQLValue(job.deadline?.milliseconds), .int(job.changed.milliseconds), .int(job.isKept ? 1 : 0),
            ])
        if laneID != state.laneID {
            try addReady(-state.offered, toLane: state.laneID)
            try addReady(state.offered, toLane: laneID)
        }
        return laneID
    }

    private func addReady(_ count: Int, toLane lane: Int) throws {
        guard count != 0 else { return }
        try db.run("UPDATE lanes SET ready = ready + $2 WHERE id = $1", [.int(lane), .int(count)])
    }

    /// The id of a user's queue, which is made if it is not there.
    func queue(_ name: String, ofUser user: Int) throws -> Int {
        let find = "SELECT id FROM queues WHERE user_id = $1 AND name = $2"
        if let id = try db.first(find, [.int(user), .text(name)], { $0.int(0) }) { return id }
        let count = try db.first("SELECT COUNT(*) FROM queues WHERE user_id = $1", [.int(user)]) { $0.int(0) } ?? 0
        guard count < Self.queuesOfUser else { throw StoreError.limit("queues", Self.queuesOfUser) }
        let made = try db.first(
            "INSERT INTO queues (user_id, name) VALUES ($1, $2) RETURNING id", [.int(user), .text(name)]
        ) { $0.int(0) }
        guard let made else { throw StoreError.failed("a queue got no id") }
        return made
    }

    private func lane(of job: Job, queueID: Int) throws -> Int {
        let key: [SQLValue] = [
            .int(job.userID), .int(queueID), .int(job.priority), .int(job.type.rawValue), .text(job.protocolName.name),
            .int(job.source.siteID), .int(job.destination?.siteID ?? 0),
        ]
        let find = """
            SELECT id FROM lanes WHERE user_id = $1 AND queue_id = $2 AND priority = $3 AND type = $4 AND protocol = $5
                AND src_site = $6 AND dst_site = $7
            """
        if let id = try db.first(find, key, { $0.int(0) }) { return id }
        let made = try db.first(
            """
            INSERT INTO lanes (user_id, queue_id, priority, type, protocol, src_site, dst_site)
            VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
            """, key
        ) { $0.int(0) }
        guard let made else { throw StoreError.failed("a lane got no id") }
        return made
    }
}
