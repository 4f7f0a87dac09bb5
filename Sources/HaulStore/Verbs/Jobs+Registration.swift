public import HaulModel

extension StoreWriter {
    /// Each queue makes lanes, and a claim that finds nothing looks at every lane in which something waits.
    static let queuesOfUser = 100
    /// With those that were removed: their rows stay.
    static let queueNamesOfUser = 10_000

    /// Registers jobs, each with its first element, which waits to be handed out. The jobs' ids and counts are the
    /// store's.
    ///
    /// - Parameter first: a job's first element.
    public func insertJobs(_ jobs: [Job], first: (Job) -> Element) throws -> [Job] {
        var rows: [[SQLValue]] = []
        rows.reserveCapacity(jobs.count)
        var ready: [Int: Int] = [:]
        var waiting: [Int: Int] = [:]
        for job in jobs {
            let queueID = try queue(job.queue, ofUser: job.userID)
            let laneID = try lane(of: job, queueID: queueID)
            ready[laneID, default: 0] += 1
            rows.append(try Self.row(of: job, queueID: queueID, laneID: laneID))
            waiting[queueID, default: 0] += 1
        }
        try showQueues(Set(waiting.keys))
        let ids = try db.insert(
            """
            INSERT INTO jobs (user_id, queue_id, lane_id, type, protocol, status, src_site, src_path, dst_site, dst_path,
                options, priority, max_tries, label, log_uid, registered, changed, deadline, execution_seconds,
                destruction, request, worded, n_new, n_open, n_ready)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, 1, 1, 1)
            """, batch: rows)
        guard ids.count == jobs.count else { throw StoreError.failed("a job got no id") }
        try addReady(ready)
        try countStages(
            Dictionary(uniqueKeysWithValues: waiting.map { (QueueStage(queueID: $0, stage: .waiting), $1) }))
        let registered = zip(jobs, ids).map { job, id in
            var job = job
            job.id = id
            job.counts.new = 1
            return job
        }
        try insertElements(
            registered.map { job in
                var element = first(job)
                element.jobID = job.id
                return element
            })
        return registered
    }

    private static func row(of job: Job, queueID: Int, laneID: Int) throws -> [SQLValue] {
        [
            .int(job.userID), .int(queueID), .int(laneID), .int(job.type.rawValue), .text(job.protocolName.name),
            .int(job.status.rawValue), .int(job.source.siteID), .text(job.source.path),
            SQLValue(job.destination?.siteID), SQLValue(job.destination?.path),
            .text(try SQLJSON.options(job.options)), .int(job.priority), .int(job.maxTries), SQLValue(job.label),
            .text(job.logUID), .int(job.registered.milliseconds), .int(job.changed.milliseconds),
            SQLValue(job.deadline?.milliseconds), .int(job.executionSeconds),
            SQLValue(job.destruction?.milliseconds),
            SQLValue(try job.draft.map { try SQLJSON.options($0.document) }), .int(job.task == nil ? 0 : 1),
        ]
    }

    /// The id of a user's queue, which is made if it is not there.
    func queue(_ name: String, ofUser user: Int) throws -> Int {
        let key = WriterMemory.QueueKey(userID: user, name: name)
        if let id = db.memory?[key] { return id }
        let find = "SELECT id FROM queues WHERE user_id = $1 AND name = $2"
        if let id = try db.first(find, [.int(user), .text(name)], { $0.int(0) }) {
            db.memory?[key] = id
            return id
        }
        try checkRoom(forShown: 1, new: 1, ofUser: user)
        let made = try db.insert(
            "INSERT INTO queues (user_id, name) VALUES ($1, $2)", batch: [[.int(user), .text(name)]])
        guard let id = made.first else { throw StoreError.failed("a queue got no id") }
        db.memory?[key] = id
        return id
    }

    func lane(of job: Job, queueID: Int) throws -> Int {
        let key = WriterMemory.LaneKey(
            userID: job.userID, queueID: queueID, priority: job.priority, type: job.type.rawValue,
            protocolName: job.protocolName.name, sourceSiteID: job.source.siteID,
            destinationSiteID: job.destination?.siteID ?? 0)
        if let id = db.memory?[key] { return id }
        let values: [SQLValue] = [
            .int(key.userID), .int(key.queueID), .int(key.priority), .int(key.type), .text(key.protocolName),
            .int(key.sourceSiteID), .int(key.destinationSiteID),
        ]
        let find = """
            SELECT id FROM lanes WHERE user_id = $1 AND queue_id = $2 AND priority = $3 AND type = $4 AND protocol = $5
                AND src_site = $6 AND dst_site = $7
            """
        if let id = try db.first(find, values, { $0.int(0) }) {
            db.memory?[key] = id
            return id
        }
        let made = try db.insert(
            """
            INSERT INTO lanes (user_id, queue_id, priority, type, protocol, src_site, dst_site)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """, batch: [values])
        guard let id = made.first else { throw StoreError.failed("a lane got no id") }
        db.memory?[key] = id
        return id
    }
}
