public import HaulModel

// What stands in a job's way.
extension StoreReader {
    /// A job's lane; nil for a job that is not there.
    public func lane(ofJob job: Int) throws -> Lane? {
        try db.first(
            """
            SELECT \(Self.laneColumns) FROM jobs j JOIN lanes l ON l.id = j.lane_id JOIN users u ON u.id = l.user_id
            JOIN queues q ON q.id = l.queue_id WHERE j.id = $1
            """, [.int(job)], Self.lane)
    }

    /// Since when the queue of a job is paused; nil where it is not.
    public func pause(ofJob job: Int) throws -> Timestamp? {
        try db.first(
            "SELECT q.paused FROM jobs j JOIN queues q ON q.id = j.queue_id WHERE j.id = $1", [.int(job)]
        ) { $0.optionalInt(0).map(Timestamp.init(milliseconds:)) } ?? nil
    }

    /// How many elements of a job are in a phase in which they wait, counted up to `most`.
    public func waiting(ofJob job: Int, in phase: Phase, most: Int) throws -> Int {
        guard let index = Self.waitingIndexes.first(where: { $0.key == phase })?.value else { return 0 }
        return try db.first(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM elements INDEXED BY \(index)
                WHERE job_id = $1 AND phase = \(phase.rawValue) LIMIT $2) AS counted
            """, [.int(job), .int(most)]
        ) { $0.int(0) } ?? 0
    }

    /// The element of a job that waits between two tries and is due first, among the first `scanned` of them.
    public func nextDue(ofJob job: Int, scanned: Int) throws -> Element? {
        try db.rows(
            """
            SELECT \(elementColumns) FROM elements INDEXED BY elements_between_tries
            WHERE job_id = $1 AND phase = 2 LIMIT $2
            """, [.int(job), .int(scanned)], Self.element
        ).min { ($0.notBefore?.milliseconds ?? 0) < ($1.notBefore?.milliseconds ?? 0) }
    }

    /// Elements of a job that can be handed out before one of them, counted up to `most`.
    public func ready(ofJob job: Int, before element: Int, most: Int) throws -> Int {
        try db.first(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM elements WHERE job_id = $1 AND phase = 1 AND phase < 3 AND id < $2
                LIMIT $3) AS counted
            """, [.int(job), .int(element), .int(most)]
        ) { $0.int(0) } ?? 0
    }

    /// Elements that are handed out before those of a job, at least, as long as what stands before is open: in its lane,
    /// and with them all. Before it are the lanes of higher priorities; of its user the nearly finished jobs (to one of
    /// those, the older ones); to others also the older jobs in its lane, and one element of each lane whose turn is
    /// first. How much of these lanes is taken, and of other users', nobody knows before.
    ///
    /// - Parameter most: older jobs that are counted, and lanes.
    public func ahead(of lane: Lane, job: Int, most: Int = 10_000) throws -> (inLane: Int, all: Int) {
        let higher =
            try db.first(
                """
                SELECT COALESCE(SUM(ready), 0) FROM
                    (SELECT l.ready FROM lanes l JOIN queues q ON q.id = l.queue_id
                        WHERE l.ready > 0 AND l.priority < $1 AND \(Self.isHandedOut) LIMIT $2) AS counted
                """, [.int(lane.priority), .int(most)]
            ) { $0.int(0) } ?? 0
        let isTail =
            try db.first("SELECT id FROM jobs WHERE id = $1 AND \(Self.isTail)", [.int(job)]) { $0.int(0) } != nil
        let tails = try answer(to: Ask.tails(ofUser: lane.userID, priority: lane.priority, limit: 1000)).filter {
            !$0.isPaused && (!isTail || $0.id < job)
        }
        let all = tails.reduce(0) { $0 + $1.ready }
        let own = tails.reduce(0) { $0 + ($1.lane.id == lane.id ? $1.ready : 0) }
        if isTail { return (own, higher + all) }
        let older =
            try db.first(
                """
                SELECT COALESCE(SUM(n_ready), 0) FROM
                    (SELECT n_ready FROM jobs WHERE lane_id = $1 AND n_ready > 0 AND COALESCE(intent, 3) = 3 AND id < $2
                        AND NOT (\(Self.isTail)) ORDER BY id LIMIT $3) AS older
                """, [.int(lane.id), .int(job), .int(most)]
            ) { $0.int(0) } ?? 0
        return (own + older, higher + all + older + (try lanesBefore(lane, without: tails)))
    }

    /// Lanes of the same user and priority whose turn is before that of one, but for those of paused queues, and those in
    /// which only nearly finished jobs wait.
    private func lanesBefore(_ lane: Lane, without tails: [TailJob]) throws -> Int {
        let before =
            try db.first(
                """
                SELECT COUNT(*) FROM (SELECT 1 FROM lanes l JOIN queues q ON q.id = l.queue_id
                    WHERE l.ready > 0 AND l.priority = $1 AND l.user_id = $2 AND (l.turn, l.id) < ($3, $4)
                        AND \(Self.isHandedOut) LIMIT 10000) AS counted
                """, [.int(lane.priority), .int(lane.userID), .int(lane.turn), .int(lane.id)]
            ) { $0.int(0) } ?? 0
        let empty = Dictionary(grouping: tails) { $0.lane }.count { other, tails in
            (other.turn, other.id) < (lane.turn, lane.id) && other.ready <= tails.reduce(0) { $0 + $1.ready }
        }
        return max(0, before - empty)
    }

    /// Whether workers are given what waits in a lane `l` of a queue `q`.
    private static let isHandedOut = "q.paused IS NULL AND q.popped = 0 AND q.doomed IS NULL AND l.type <> 5"

    /// True where something else than elements of a type is among the first of a job that can be handed out.
    public func hasReady(ofJob job: Int, otherThan type: JobType, most: Int) throws -> Bool {
        try db.first(
            """
            SELECT EXISTS (SELECT 1 FROM (SELECT type FROM elements INDEXED BY elements_ready
                WHERE job_id = $1 AND phase = 1 LIMIT $3) AS counted WHERE type <> $2)
            """, [.int(job), .int(type.rawValue), .int(most)]
        ) { $0.int(0) == 1 } ?? false
    }

    /// Workers with a live session, by name, and what is known of those that claim without one: under which token they
    /// hold leases.
    public func liveWorkers(now: Timestamp, limit: Int) throws -> [LiveWorker] {
        let registered = try db.rows(
            """
            SELECT \(Self.bearerColumns), w.name, w.protocols, w.sites, w.drained
            FROM sessions s JOIN workers w ON w.id = s.worker_id JOIN tokens t ON t.id = s.token_id
            JOIN users u ON u.id = t.user_id
            WHERE s.worker_id > 0 AND s.ended IS NULL AND s.expires > $1 ORDER BY s.worker_id LIMIT $2
            """, [.int(now.milliseconds), .int(limit)]
        ) { row in
            LiveWorker(
                bearer: try Self.bearer(row),
                announced: LiveWorker.Announcement(
                    name: row.text(12), protocols: try SQLJSON.value([String].self, row.text(13)),
                    sites: try SQLJSON.value([Int].self, row.text(14)), isDrained: row.optionalInt(15) != nil))
        }
        // Each of their claims has a session: the index is asked for the next token.
        let others = try db.rows(
            """
            SELECT \(Self.bearerColumns) FROM (
                WITH RECURSIVE w (id) AS (
                    SELECT MIN(token_id) FROM sessions INDEXED BY sessions_without_worker
                    WHERE ended IS NULL AND worker_id IS NULL
                    UNION ALL
                    SELECT (SELECT MIN(token_id) FROM sessions INDEXED BY sessions_without_worker
                        WHERE ended IS NULL AND worker_id IS NULL AND token_id > w.id) FROM w WHERE w.id IS NOT NULL)
                SELECT id FROM w) AS w
            JOIN tokens t ON t.id = w.id JOIN users u ON u.id = t.user_id
            WHERE EXISTS (SELECT 1 FROM sessions INDEXED BY sessions_without_worker
                WHERE token_id = w.id AND ended IS NULL AND worker_id IS NULL AND expires > $1) LIMIT $2
            """, [.int(now.milliseconds), .int(limit)]
        ) { LiveWorker(bearer: try Self.bearer($0), announced: nil) }
        return registered.sorted { $0.name < $1.name } + others
    }
}
