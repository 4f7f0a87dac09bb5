public import HaulModel

// Jobs that are registered and not committed: no lane knows of them, and they have no element.
extension StoreReader {
    /// Jobs of a user that are not committed, or never were ones that can be run, as far as a number.
    public func drafts(ofUser user: Int, most: Int) throws -> Int {
        try db.first(
            """
            SELECT COUNT(*) FROM (
                SELECT j.id FROM jobs j WHERE j.user_id = $1 AND j.sound = 0 AND \(Self.isVisible) LIMIT $2) AS counted
            """, [.int(user), .int(most)]
        ) { $0.int(0) } ?? 0
    }
}

extension StoreWriter {
    /// Registers a job that is not committed.
    ///
    /// - Returns: its id.
    public func insertDraft(_ job: Job) throws -> Int {
        let queue = try shownQueue(job.queue, ofUser: job.userID)
        try countStages([QueueStage(queueID: queue, stage: .uncommitted): 1])
        let ids = try db.insert(
            """
            INSERT INTO jobs (user_id, queue_id, type, protocol, status, src_site, src_path, options, priority, max_tries,
                label, log_uid, registered, changed, execution_seconds, destruction, request, sound)
            VALUES ($1, $2, $3, $4, 0, $5, $6, '{}', $7, $8, $9, $10, $11, $12, $13, $14, $15, 0)
            """,
            batch: [
                [
                    .int(job.userID), .int(queue),
                    .int(job.draft?.type?.rawValue ?? -1), .text(job.protocolName.name), .int(job.source.siteID),
                    .text(job.source.path), .int(job.priority), .int(job.maxTries), SQLValue(job.label),
                    .text(job.logUID), .int(job.registered.milliseconds), .int(job.changed.milliseconds),
                    .int(job.executionSeconds), SQLValue(job.destruction?.milliseconds),
                    .text(try SQLJSON.options(job.draft?.document ?? [:])),
                ]
            ])
        guard let id = ids.first else { throw StoreError.failed("a job got no id") }
        return id
    }

    /// Writes what a user wants otherwise of a job that is not committed, or was refused.
    public func changeDraft(_ job: Job) throws {
        try db.run(
            """
            UPDATE jobs SET type = $2, label = $3, keep = $4, execution_seconds = $5, destruction = $6, request = $7,
                changed = $8 WHERE id = $1 AND sound = 0
            """,
            [
                .int(job.id), .int(job.draft?.type?.rawValue ?? -1), SQLValue(job.label), .int(job.isKept ? 1 : 0),
                .int(job.executionSeconds), SQLValue(job.destruction?.milliseconds),
                .text(try SQLJSON.options(job.draft?.document ?? [:])), .int(job.changed.milliseconds),
            ])
    }

    /// Makes a job that is not committed one that can be run, with its first element; its counts are booked by
    /// ``updateJobs(_:)``.
    ///
    /// - Returns: the ids of its lane and queue.
    public func commit(_ job: Job, first: Element) throws -> (lane: Int, queue: Int) {
        let queueID = try shownQueue(job.queue, ofUser: job.userID)
        let laneID = try lane(of: job, queueID: queueID)
        try db.run(
            """
            UPDATE jobs SET queue_id = $2, lane_id = $3, type = $4, protocol = $5, src_site = $6, src_path = $7,
                dst_site = $8, dst_path = $9, options = $10, priority = $11, max_tries = $12, label = $13, deadline = $14,
                execution_seconds = $15, destruction = $16, worded = $17, sound = 1
            WHERE id = $1 AND sound = 0
            """,
            [
                .int(job.id), .int(queueID), .int(laneID), .int(job.type.rawValue), .text(job.protocolName.name),
                .int(job.source.siteID), .text(job.source.path), SQLValue(job.destination?.siteID),
                SQLValue(job.destination?.path), .text(try SQLJSON.options(job.options)), .int(job.priority),
                .int(job.maxTries), SQLValue(job.label), SQLValue(job.deadline?.milliseconds),
                .int(job.executionSeconds), SQLValue(job.destruction?.milliseconds), .int(job.task == nil ? 0 : 1),
            ])
        try insertElement(first)
        return (laneID, queueID)
    }
}
