public import HaulModel

/// The elements of one user, queue, priority, type, protocol and pair of sites that wait: what a claim chooses between.
public struct Lane: Sendable, Hashable {
    public var id: Int
    public var userID: Int
    public var user: String
    /// Elements handed out to the user, as fairness counts them.
    public var virtualTime: Int
    public var queueID: Int
    public var queue: String
    /// Elements of its queue that may be with workers at once; nil is any number.
    public var queueLimit: Int?
    public var priority: Int
    public var type: JobType
    public var protocolName: ProtocolName
    public var sourceSiteID: Int
    public var destinationSiteID: Int?
    /// Elements that can be handed out.
    public var ready: Int
    /// The number of the claim that last took something of it.
    public var turn: Int

    /// Where a walk over a user's lanes stands.
    public struct Place: Sendable, Hashable {
        public var turn: Int
        public var id: Int

        /// Before all lanes.
        public static let start = Place(turn: -1, id: 0)
    }

    public var place: Place { Place(turn: turn, id: id) }
}

/// A nearly finished job: three quarters of its elements have ended.
public struct TailJob: Sendable, Hashable {
    public var id: Int
    public var lane: Lane
    /// Its elements that can be handed out.
    public var ready: Int
    /// Its queue is paused, popped alone, or removed and not empty yet.
    public var isPaused: Bool
}

extension Ask {
    /// Priorities of which something waits, the first to be served first. From each the index is asked for the next:
    /// how many lanes there are does not matter.
    public static var prioritiesWithWork: Question<[Int]> {
        Question(
            """
            SELECT id FROM (
                WITH RECURSIVE w (id) AS (
                    SELECT MIN(priority) FROM lanes INDEXED BY lanes_ready WHERE ready > 0
                    UNION ALL
                    SELECT (SELECT MIN(priority) FROM lanes INDEXED BY lanes_ready
                        WHERE ready > 0 AND priority > w.id) FROM w WHERE w.id IS NOT NULL)
                SELECT id FROM w WHERE id IS NOT NULL) AS w ORDER BY id
            """, nothing: []
        ) { $0.append($1.int(0)) }
    }

    /// The first of a user's lanes of a priority in which something waits, as ``StoreReader/lanesWithWork`` has them.
    public static func lanesWithWork(
        ofUser user: Int, priority: Int, afterTurn turn: Int = Lane.Place.start.turn, limit: Int
    ) -> Question<[Lane]> {
        Question(
            StoreReader.lanesWithWork + " AND l.turn > $3 ORDER BY l.turn, l.id LIMIT $4",
            [.int(priority), .int(user), .int(turn), .int(limit)], nothing: []
        ) { $0.append(try StoreReader.lane($1)) }
    }

    /// A page of a user's nearly finished jobs of a priority of which something waits, the oldest first.
    public static func tails(
        ofUser user: Int, priority: Int, after job: Int = 0, limit: Int
    ) -> Question<[TailJob]> {
        let more = StoreReader.laneColumnCount
        return Question(
            """
            SELECT \(StoreReader.laneColumns), older.id, older.n_ready, CASE WHEN q.paused IS NULL AND q.popped = 0 AND q.doomed IS NULL THEN NULL ELSE 1 END
            FROM (SELECT id, lane_id, n_ready FROM jobs
                WHERE user_id = $1 AND priority = $2 AND id > $3 AND \(StoreReader.isTail) ORDER BY id LIMIT $4) AS older
            JOIN lanes l ON l.id = older.lane_id JOIN users u ON u.id = l.user_id JOIN queues q ON q.id = l.queue_id
            ORDER BY older.id
            """, [.int(user), .int(priority), .int(job), .int(limit)], nothing: []
        ) { tails, row in
            tails.append(
                TailJob(
                    id: row.int(more), lane: try StoreReader.lane(row), ready: row.int(more + 1),
                    isPaused: row.optionalInt(more + 2) != nil))
        }
    }
}

extension StoreReader {
    /// Elements of a user that can be handed out: kept by lane, of which there are few.
    public func waiting(ofUser user: Int) throws -> Int {
        try db.first("SELECT COALESCE(SUM(ready), 0) FROM lanes WHERE user_id = $1", [.int(user)]) { $0.int(0) } ?? 0
    }

    /// Users of whom something of a priority waits, those who were given least first. From each the index is asked for
    /// the next, as for priorities.
    public func usersWithWork(priority: Int) throws -> [Int] {
        try db.rows(
            """
            SELECT u.id FROM (
                WITH RECURSIVE w (id) AS (
                    SELECT MIN(user_id) FROM lanes INDEXED BY lanes_ready WHERE ready > 0 AND priority = $1
                    UNION ALL
                    SELECT (SELECT MIN(user_id) FROM lanes INDEXED BY lanes_ready
                        WHERE ready > 0 AND priority = $1 AND user_id > w.id) FROM w WHERE w.id IS NOT NULL)
                SELECT id FROM w) AS w
            JOIN users u ON u.id = w.id ORDER BY u.vtime, u.id
            """, [.int(priority)]
        ) { $0.int(0) }
    }

    /// A page of a user's lanes of a priority in which something waits, but for those of queues that are paused,
    /// popped alone or being emptied, and of TASKs: by turn, the one
    /// first of which nothing was taken for longest.
    public func lanesWithWork(
        ofUser user: Int, priority: Int, after place: Lane.Place = .start, limit: Int
    ) throws -> [Lane] {
        var lanes: [Lane] = []
        // Very many may have the same turn, and SQLite does not find its way by both at once.
        if place != .start {
            lanes = try db.rows(
                Self.lanesWithWork + " AND l.turn = $3 AND l.id > $4 ORDER BY l.id LIMIT $5",
                [.int(priority), .int(user), .int(place.turn), .int(place.id), .int(limit)], Self.lane)
        }
        guard lanes.count < limit else { return lanes }
        return try lanes
            + answer(
                to: Ask.lanesWithWork(
                    ofUser: user, priority: priority, afterTurn: place.turn, limit: limit - lanes.count))
    }

    fileprivate static let lanesWithWork = """
        SELECT \(laneColumns)
        FROM lanes l JOIN users u ON u.id = l.user_id JOIN queues q ON q.id = l.queue_id
        WHERE l.ready > 0 AND l.priority = $1 AND l.user_id = $2 AND q.paused IS NULL
            AND q.popped = 0 AND q.doomed IS NULL AND l.type <> \(JobType.task.rawValue)
        """

    static let laneColumns = """
        l.id, l.user_id, u.name, u.vtime, q.name, l.priority, l.type, l.protocol, l.src_site, l.dst_site, l.ready,
        q.id, q.running_limit, l.turn
        """
    /// Columns that ``lane(_:)`` reads.
    fileprivate static let laneColumnCount = 14

    static func lane(_ row: any SQLRow) throws -> Lane {
        guard let type = JobType(rawValue: row.int(6)), let protocolName = ProtocolName(text: row.text(7)) else {
            throw StoreError.failed("lane \(row.int(0)) has a type or protocol that is none")
        }
        return Lane(
            id: row.int(0), userID: row.int(1), user: row.text(2), virtualTime: row.int(3),
            queueID: row.int(11), queue: row.text(4), queueLimit: row.optionalInt(12), priority: row.int(5), type: type,
            protocolName: protocolName, sourceSiteID: row.int(8),
            destinationSiteID: type == .copy || type == .rename ? row.int(9) : nil, ready: row.int(10),
            turn: row.int(13))
    }

    /// True while something waits to be handed out.
    public func hasWork() throws -> Bool {
        try db.first("SELECT EXISTS (SELECT 1 FROM lanes WHERE ready > 0)") { $0.int(0) == 1 } ?? false
    }

    /// Elements that can be handed out of nearly finished jobs, one job's after the other's.
    ///
    /// - Parameter withoutMkdir: leave MKDIR elements to others.
    public func readyElements(of tails: [TailJob], withoutMkdir: Bool, limit: Int) throws -> [Element] {
        try readyElements(ofJobs: tails.map { ($0.id, $0.ready) }, withoutMkdir: withoutMkdir, limit: limit)
    }

    /// As the index has it, word for word.
    static let isTail = """
        n_ready > 0 AND COALESCE(intent, 3) = 3 AND expansion IS NULL
        AND n_open * 4 <= n_new + n_done + n_failed + n_submitted + n_running + n_cancelled
        """

    /// Elements of a lane that can be handed out: the oldest job's first, each job's by id.
    ///
    /// - Parameters:
    ///   - passed: jobs to leave out.
    ///   - withoutMkdir: leave MKDIR elements to others.
    public func readyElements(
        inLane lane: Int, without passed: Set<Int> = [], withoutMkdir: Bool, limit: Int
    ) throws -> [Element] {
        var result: [Element] = []
        var after = 0
        while result.count < limit {
            let jobs = try db.rows(
                """
                SELECT id, n_ready FROM jobs WHERE lane_id = $1 AND n_ready > 0 AND COALESCE(intent, 3) = 3 AND id > $2
                ORDER BY id LIMIT $3
                """,
                [.int(lane), .int(after), .int(min(limit - result.count, 1000))]
            ) { ($0.int(0), $0.int(1)) }
            guard let last = jobs.last?.0 else { break }
            result += try readyElements(
                ofJobs: jobs.filter { !passed.contains($0.0) }, withoutMkdir: withoutMkdir, limit: limit - result.count)
            after = last
        }
        return result
    }
}

extension StoreWriter {
    /// Puts lanes behind all others of their users and priorities.
    ///
    /// - Parameter turn: the number of the claim that took of them.
    public func setTurn(_ turn: Int, ofLanes lanes: some Collection<Int>) throws {
        guard !lanes.isEmpty else { return }
        try db.later("UPDATE lanes SET turn = $2 WHERE id = $1", batch: lanes.map { [.int($0), .int(turn)] })
    }

    public func setVirtualClock(_ time: Int) throws {
        try db.later("UPDATE fairness SET clock = $1 WHERE id = 1", [.int(time)])
    }

    /// Sets what a user was given, as fairness counts it.
    public func setVirtualTime(_ time: Int, ofUser user: Int) throws {
        try db.later("UPDATE users SET vtime = $2 WHERE id = $1", [.int(user), .int(time)])
    }
}
