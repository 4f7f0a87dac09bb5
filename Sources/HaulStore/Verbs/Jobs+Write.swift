public import HaulModel

extension StoreWriter {
    /// Writes what the engine decided of a job: status, counts, expansion, intent, time of change; its lane's count
    /// follows.
    ///
    /// - Parameter offeredBefore: the elements that the lane counted for it until now.
    public func updateJob(_ state: JobState, offeredBefore: Int) throws {
        let counts = state.job.counts
        try db.later(
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
    /// - Returns: the ids of its lane and queue.
    public func changeJob(_ state: JobState, to job: Job) throws -> (lane: Int, queue: Int) {
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
        return (laneID, queueID)
    }

    func addReady(_ count: Int, toLane lane: Int) throws {
        guard count != 0 else { return }
        try db.later("UPDATE lanes SET ready = ready + $2 WHERE id = $1", [.int(lane), .int(count)])
    }
}
