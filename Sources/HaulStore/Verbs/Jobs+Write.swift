public import HaulModel

extension StoreWriter {
    /// Writes what the engine decided of jobs, each of which is named once: status, counts, expansion, intent, time of
    /// change; their lanes' counts follow.
    ///
    /// - Parameter changes: with the elements that the lane counted for the job until now.
    public func updateJobs(_ changes: [(state: JobState, offeredBefore: Int)]) throws {
        try db.later(
            """
            UPDATE jobs SET status = $2, changed = $3, n_new = $4, n_done = $5, n_failed = $6, n_submitted = $7,
                n_running = $8, n_cancelled = $9, n_open = $10, n_ready = $11, expansion = $12, cut_expansion = $13,
                intent = $14, swept = $15, started = $16, ended = $17, must_end = $18, forgotten = $19, class = $20,
                culprit = $21, revision = revision + 1 WHERE id = $1
            """, batch: changes.map { Self.values($0.state) })
        try addReady(
            Dictionary(changes.map { ($0.state.laneID, $0.state.offered - $0.offeredBefore) }, uniquingKeysWith: +))
    }

    private static func values(_ state: JobState) -> [SQLValue] {
        let counts = state.job.counts
        return [
            .int(state.job.id), .int(state.job.status.rawValue), .int(state.job.changed.milliseconds),
            .int(counts.new), .int(counts.done), .int(counts.failed), .int(counts.submitted), .int(counts.running),
            .int(counts.cancelled), .int(state.open), .int(state.ready), SQLValue(state.expansion),
            SQLValue(state.cutExpansion), SQLValue(state.intent?.rawValue), .int(state.swept),
            SQLValue(state.job.started?.milliseconds), SQLValue(state.job.ended?.milliseconds),
            SQLValue(JobMachine.mustEnd(state.job)?.milliseconds), SQLValue(state.forgotten?.milliseconds),
            SQLValue(state.job.errorClass?.rawValue), SQLValue(state.job.culprit),
        ]
    }

    /// Moves a job, with all of it that waits, to the lane of another queue or priority, and writes what else a user may
    /// change.
    ///
    /// - Returns: the ids of its lane and queue.
    public func changeJob(_ state: JobState, to job: Job) throws -> (lane: Int, queue: Int) {
        let queueID = job.queue == state.job.queue ? state.queueID : try shownQueue(job.queue, ofUser: job.userID)
        let laneID = try lane(of: job, queueID: queueID)
        try db.run(
            """
            UPDATE jobs SET queue_id = $2, lane_id = $3, priority = $4, label = $5, deadline = $6, changed = $7,
                keep = $8, execution_seconds = $9, destruction = $10, must_end = $11 WHERE id = $1
            """,
            [
                .int(job.id), .int(queueID), .int(laneID), .int(job.priority), SQLValue(job.label),
                SQLValue(job.deadline?.milliseconds), .int(job.changed.milliseconds), .int(job.isKept ? 1 : 0),
                .int(job.executionSeconds), SQLValue(job.destruction?.milliseconds),
                SQLValue(JobMachine.mustEnd(job)?.milliseconds),
            ])
        if laneID != state.laneID {
            try addReady([state.laneID: -state.offered, laneID: state.offered])
        }
        return (laneID, queueID)
    }

    /// Counts elements that wait in lanes, or fewer than 0 that do no more.
    func addReady(_ counts: [Int: Int]) throws {
        let changes = counts.filter { $0.value != 0 }.sorted { $0.key < $1.key }
        try db.later(
            "UPDATE lanes SET ready = ready + $2 WHERE id = $1", batch: changes.map { [.int($0.key), .int($0.value)] })
    }
}
