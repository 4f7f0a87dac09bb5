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
}

extension StoreReader {
    /// Users of whom something of a priority waits, those who were given least first.
    public func usersWithWork(priority: Int) throws -> [Int] {
        try db.rows(
            """
            SELECT u.id FROM (SELECT DISTINCT user_id FROM lanes WHERE ready > 0 AND priority = $1) w
            JOIN users u ON u.id = w.user_id ORDER BY u.vtime, u.id
            """, [.int(priority)]
        ) { $0.int(0) }
    }

    /// A user's lanes of a priority in which something waits, but for those of paused queues.
    public func lanesWithWork(ofUser user: Int, priority: Int) throws -> [Lane] {
        try db.rows(
            """
            SELECT \(Self.laneColumns)
            FROM lanes l JOIN users u ON u.id = l.user_id JOIN queues q ON q.id = l.queue_id
            WHERE l.ready > 0 AND l.priority = $1 AND l.user_id = $2 AND q.paused IS NULL ORDER BY l.id
            """, [.int(priority), .int(user)], Self.lane)
    }

    static let laneColumns = """
        l.id, l.user_id, u.name, u.vtime, q.name, l.priority, l.type, l.protocol, l.src_site, l.dst_site, l.ready,
        q.id, q.running_limit
        """

    static func lane(_ row: any SQLRow) throws -> Lane {
        guard let type = JobType(rawValue: row.int(6)), let protocolName = ProtocolName(text: row.text(7)) else {
            throw StoreError.failed("lane \(row.int(0)) has a type or protocol that is none")
        }
        return Lane(
            id: row.int(0), userID: row.int(1), user: row.text(2), virtualTime: row.int(3),
            queueID: row.int(11), queue: row.text(4), queueLimit: row.optionalInt(12), priority: row.int(5), type: type,
            protocolName: protocolName, sourceSiteID: row.int(8),
            destinationSiteID: type == .copy || type == .rename ? row.int(9) : nil, ready: row.int(10))
    }

    /// True while something waits to be handed out.
    public func hasWork() throws -> Bool {
        try db.first("SELECT EXISTS (SELECT 1 FROM lanes WHERE ready > 0)") { $0.int(0) == 1 } ?? false
    }

    /// A user's lanes of a priority in which nearly finished jobs wait: those of which three quarters have ended.
    public func lanesWithTails(ofUser user: Int, priority: Int) throws -> Set<Int> {
        Set(
            try db.rows(
                "SELECT DISTINCT lane_id FROM jobs WHERE user_id = $1 AND priority = $2 AND \(Self.isTail)",
                [.int(user), .int(priority)]
            ) { $0.int(0) })
    }

    /// Elements that can be handed out of the nearly finished jobs of a lane, the oldest job's first.
    ///
    /// - Parameter withoutMkdir: leave MKDIR elements to others.
    public func readyTails(of lane: Lane, withoutMkdir: Bool, limit: Int) throws -> [Element] {
        let jobs = try db.rows(
            """
            SELECT id, n_ready FROM jobs WHERE user_id = $1 AND priority = $2 AND lane_id = $3 AND \(Self.isTail)
            ORDER BY id LIMIT $4
            """, [.int(lane.userID), .int(lane.priority), .int(lane.id), .int(limit)]
        ) { ($0.int(0), $0.int(1)) }
        return try readyElements(ofJobs: jobs, withoutMkdir: withoutMkdir, limit: limit)
    }

    /// As the index has it, word for word.
    private static let isTail = """
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
    public func setVirtualClock(_ time: Int) throws {
        try db.later("UPDATE fairness SET clock = $1 WHERE id = 1", [.int(time)])
    }

    /// Sets what a user was given, as fairness counts it.
    public func setVirtualTime(_ time: Int, ofUser user: Int) throws {
        try db.later("UPDATE users SET vtime = $2 WHERE id = $1", [.int(user), .int(time)])
    }
}
