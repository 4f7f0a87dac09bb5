public import HaulModel

extension Ask {
    /// Where the logs of jobs are, and their types, by id; without those that are not there.
    public static func logPlaces(ofJobs ids: some Collection<Int>) -> Question<[Int: (logUID: String, type: JobType)]> {
        Question(
            "SELECT id, log_uid, type FROM jobs WHERE id = $1 AND forgotten IS NULL", batch: ids.map { [.int($0)] },
            nothing: [:]
        ) { $0[$2.int(0)] = ($2.text(1), JobType(rawValue: $2.int(2)) ?? .list) }
    }

    /// What the engine keeps of jobs, by id; without those that are not there.
    public static func jobStates(_ ids: some Collection<Int>) -> Question<[Int: JobState]> {
        let more = StoreReader.jobColumnCount
        return Question(
            """
            SELECT \(StoreReader.stateColumns), j.lane_id, j.n_open, j.n_ready, j.expansion,
                j.cut_expansion, j.intent, j.swept, j.queue_id, q.running_limit, j.forgotten
            FROM jobs j JOIN queues q ON q.id = j.queue_id WHERE j.id = $1 AND j.forgotten IS NULL
            """, batch: ids.map { [.int($0)] }, nothing: [:]
        ) { states, _, row in
            let job = try StoreReader.job(row)
            states[job.id] = JobState(
                job: job, laneID: row.optionalInt(more) ?? 0, queueID: row.int(more + 7),
                queueLimit: row.optionalInt(more + 8), open: row.int(more + 1), ready: row.int(more + 2),
                expansion: row.optionalText(more + 3), cutExpansion: row.optionalText(more + 4),
                intent: row.optionalInt(more + 5).flatMap(JobIntent.init), swept: row.int(more + 6),
                forgotten: row.optionalInt(more + 9).map(Timestamp.init(milliseconds:)))
        }
    }
}

extension StoreReader {
    private static let jobColumns = """
        j.id, j.user_id, q.name, j.type, j.protocol, j.status, j.src_site, j.src_path, j.dst_site, j.dst_path,
        j.options, j.priority, j.max_tries, j.label, j.log_uid, j.registered, j.changed,
        j.n_new, j.n_done, j.n_failed, j.n_submitted, j.n_running, j.n_cancelled, j.deadline,
        j.keep, j.revision, j.started, j.ended, j.execution_seconds, j.destruction, j.sound, j.class, j.culprit
        """
    /// What was asked, as it was given, may be long.
    static let fullColumns = jobColumns + ", j.request"
    static let listColumns = jobColumns + ", NULL"
    /// Where a job can be run, what was asked is in its other columns, but for words.
    static let stateColumns = jobColumns + ", CASE WHEN j.sound = 0 OR j.worded = 1 THEN j.request END"
    /// Columns that ``job(_:)`` reads.
    static let jobColumnCount = 34
    /// Neither gone nor on its way there.
    static let isVisible = "j.forgotten IS NULL AND COALESCE(j.intent, 0) <> \(JobIntent.destroy.rawValue)"

    /// A job that users can see, or nil.
    public func job(_ id: Int) throws -> Job? {
        try db.first(
            "SELECT \(Self.fullColumns) FROM jobs j JOIN queues q ON q.id = j.queue_id WHERE j.id = $1 AND \(Self.isVisible)",
            [.int(id)],
            Self.job)
    }

    /// The job that `row` stands on, from its first column on.
    static func job(_ row: any SQLRow) throws -> Job {
        let isSound = row.int(30) == 1
        let named = JobType(rawValue: row.int(3))
        guard let type = isSound ? named : named ?? .list, let protocolName = ProtocolName(text: row.text(4)),
            let status = Status(rawValue: row.int(5))
        else { throw StoreError.failed("job \(row.int(0)) has a type, protocol or status that is none") }
        var counts = StatusCounts()
        counts.new = row.int(17)
        counts.done = row.int(18)
        counts.failed = row.int(19)
        counts.submitted = row.int(20)
        counts.running = row.int(21)
        counts.cancelled = row.int(22)
        var destination: Job.Place?
        if let site = row.optionalInt(8), let path = row.optionalText(9) {
            destination = .init(siteID: site, path: path)
        }
        var job = Job(
            id: row.int(0), userID: row.int(1), queue: row.text(2), type: type, protocolName: protocolName,
            status: status, source: .init(siteID: row.int(6), path: row.text(7)), destination: destination,
            options: try SQLJSON.options(row.text(10)), priority: row.int(11), maxTries: row.int(12),
            label: row.optionalText(13),
            deadline: row.optionalInt(23).map(Timestamp.init(milliseconds:)), logUID: row.text(14),
            registered: Timestamp(milliseconds: row.int(15)),
            changed: Timestamp(milliseconds: row.int(16)), counts: counts)
        job.isKept = row.int(24) == 1
        job.revision = row.int(25)
        job.started = row.optionalInt(26).map(Timestamp.init(milliseconds:))
        job.ended = row.optionalInt(27).map(Timestamp.init(milliseconds:))
        job.executionSeconds = row.int(28)
        job.destruction = row.optionalInt(29).map(Timestamp.init(milliseconds:))
        job.isSound = isSound
        job.errorClass = row.optionalText(31).flatMap(ErrorClass.init)
        job.culprit = row.optionalInt(32)
        job.draft = try row.optionalText(33).map { JobDraft(document: try SQLJSON.options($0)) }
        return job
    }
}

/// What the engine keeps of a job beside what users see.
public struct JobState: Sendable, Hashable {
    public var job: Job
    public var laneID: Int
    public var queueID: Int
    /// Elements of its queue that may be with workers at once; nil is any number.
    public var queueLimit: Int?
    /// Elements that have not ended.
    public var open: Int
    /// Elements that can be handed out.
    public var ready: Int
    /// Where its expansion stands: the engine's own text, nil when there is nothing to expand.
    public var expansion: String?
    /// The expansion that a cancel or the deadline cut off.
    public var cutExpansion: String?
    /// What is wanted of the whole job and not done yet.
    public var intent: JobIntent?
    /// The element that was done last on behalf of `intent`; -1 before the first.
    public var swept: Int
    /// Since when nobody sees it any more.
    public var forgotten: Timestamp?

    /// Elements that are with workers.
    public var out: Int { job.counts.submitted + job.counts.running }

    /// Where its queue counts it; nil of one that nobody sees.
    public var queueStage: QueueStage? {
        guard forgotten == nil, intent != .destroy else { return nil }
        return QueueStage(queueID: queueID, stage: job.stage)
    }

    /// Elements that its lane counts.
    public var offered: Int { intent?.shuts == true ? 0 : ready }
}

extension StoreReader {
    public func jobState(_ id: Int) throws -> JobState? { try answer(to: Ask.jobStates([id]))[id] }

    /// Jobs whose listing waits to be expanded, by id, after one of them.
    public func expandingJobs(after: Int, limit: Int) throws -> [Int] {
        try db.rows(
            "SELECT id FROM jobs WHERE expansion IS NOT NULL AND id > $1 ORDER BY id LIMIT $2",
            [.int(after), .int(limit)]
        ) { $0.int(0) }
    }
}
