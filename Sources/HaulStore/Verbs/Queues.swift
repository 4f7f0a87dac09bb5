public import HaulModel

/// A queue, and what it is known by.
public struct KnownQueue: Sendable, Hashable {
    public var id: Int
    public var userID: Int
    public var queue: Queue
}

/// A queue that was removed, of which jobs are left.
public struct DoomedQueue: Sendable, Hashable {
    public var id: Int
    public var userID: Int
    /// Jobs up to this one go.
    public var last: Int

    /// Where a walk over such queues stands.
    public struct Place: Sendable {
        var userID: Int
        var id: Int

        /// Before all.
        public static let start = Place(userID: 0, id: 0)
    }

    public var place: Place { Place(userID: userID, id: id) }
}

/// A queue's jobs that are at one stage.
public struct QueueStage: Sendable, Hashable {
    public var queueID: Int
    public var stage: JobStage

    public init(queueID: Int, stage: JobStage) {
        self.queueID = queueID
        self.stage = stage
    }
}

extension StoreReader {
    private static let queueColumns = "id, user_id, name, paused, running_limit, popped, lease_seconds"

    private static func queue(_ row: any SQLRow) -> KnownQueue {
        KnownQueue(
            id: row.int(0), userID: row.int(1),
            queue: Queue(
                name: row.text(2), paused: row.optionalInt(3).map(Timestamp.init(milliseconds:)),
                limit: row.optionalInt(4), isPopped: row.int(5) == 1, leaseSeconds: row.optionalInt(6)))
    }

    /// A user's queues, by name.
    public func queues(ofUser user: Int) throws -> [KnownQueue] {
        try db.rows(
            "SELECT \(Self.queueColumns) FROM queues WHERE user_id = $1 AND removed IS NULL ORDER BY name",
            [.int(user)],
            Self.queue)
    }

    /// A user's queue; nil where there is none of that name.
    public func queue(_ name: String, ofUser user: Int) throws -> KnownQueue? {
        try db.first(
            "SELECT \(Self.queueColumns) FROM queues WHERE user_id = $1 AND name = $2 AND removed IS NULL",
            [.int(user), .text(name)], Self.queue)
    }

    /// How many jobs of a user's queues are at each stage, by queue.
    public func stages(ofUser user: Int) throws -> [Int: [JobStage: Int]] {
        var found: [Int: [JobStage: Int]] = [:]
        try db.run(
            """
            SELECT s.queue_id, s.stage, s.jobs FROM queues q JOIN queue_stages s ON s.queue_id = q.id
            WHERE q.user_id = $1 AND q.removed IS NULL
            """, [.int(user)]
        ) { row in
            guard let stage = JobStage(rawValue: row.text(1)) else { return }
            found[row.int(0), default: [:]][stage] = row.int(2)
        }
        return found
    }

    /// Whether what has this id goes with what was in a user's queue when that was removed, where it is put into it.
    public func isDoomed(_ job: Int, inQueue name: String, ofUser user: Int) throws -> Bool {
        try db.first(
            "SELECT doomed FROM queues WHERE user_id = $1 AND name = $2 AND doomed >= $3",
            [.int(user), .text(name), .int(job)]
        ) { $0.int(0) } != nil
    }

    /// Queues that were removed and of which jobs are left, everybody's or a user's, after one of them.
    public func doomedQueues(ofUser user: Int?, after place: DoomedQueue.Place, limit: Int) throws -> [DoomedQueue] {
        let condition = user == nil ? "" : " AND user_id = $4"
        return try db.rows(
            """
            SELECT id, user_id, doomed FROM queues WHERE doomed IS NOT NULL AND (user_id, id) > ($1, $2)\(condition)
            ORDER BY user_id, id LIMIT $3
            """, [.int(place.userID), .int(place.id), .int(limit)] + (user.map { [.int($0)] } ?? [])
        ) { DoomedQueue(id: $0.int(0), userID: $0.int(1), last: $0.int(2)) }
    }

    /// Jobs of such a queue that users can still see, by id, among the `scanned` of its user after one of them.
    ///
    /// - Returns: them, and the last that was looked at; nil for it at the end.
    public func doomedJobs(_ queue: DoomedQueue, after: Int, scanned: Int) throws -> (ids: [Int], last: Int?) {
        var ids: [Int] = []
        var (count, last) = (0, after)
        try db.run(
            """
            SELECT j.id, CASE WHEN j.queue_id = $3 AND \(Self.isVisible) THEN 1 ELSE 0 END FROM jobs j
            WHERE j.user_id = $1 AND j.id > $2 AND j.id <= $4 ORDER BY j.id LIMIT $5
            """, [.int(queue.userID), .int(after), .int(queue.id), .int(queue.last), .int(scanned)]
        ) { row in
            last = row.int(0)
            count += 1
            if row.int(1) == 1 { ids.append(last) }
        }
        return (ids, count < scanned ? nil : last)
    }
}

extension StoreWriter {
    /// The id of a user's queue, which is made, or seen again, if it is not there.
    func shownQueue(_ name: String, ofUser user: Int) throws -> Int {
        let id = try queue(name, ofUser: user)
        try showQueues([id])
        return id
    }

    /// Has queues seen again that were removed, as if they were new.
    ///
    /// - Throws: `StoreError.limit` where a user would have too many; nothing is changed then.
    func showQueues(_ ids: Set<Int>) throws {
        var hidden: [Int: [Int]] = [:]
        try db.run(
            "SELECT user_id, id FROM queues WHERE id = $1 AND removed IS NOT NULL",
            batch: ids.sorted().map { [.int($0)] }
        ) { hidden[$1.int(0), default: []].append($1.int(1)) }
        guard !hidden.isEmpty else { return }
        for (user, queues) in hidden { try checkRoom(forShown: queues.count, ofUser: user) }
        try db.later(
            """
            UPDATE queues SET removed = NULL, paused = NULL, running_limit = NULL, popped = 0, lease_seconds = NULL
            WHERE id = $1
            """, batch: hidden.values.flatMap(\.self).sorted().map { [.int($0)] })
    }

    /// - Throws: `StoreError.limit` where a user can't have so many more queues.
    func checkRoom(forShown shown: Int, new: Int = 0, ofUser user: Int) throws {
        let (all, seen) =
            try db.first(
                "SELECT COUNT(*), COUNT(*) - COUNT(removed) FROM queues WHERE user_id = $1", [.int(user)]
            ) { ($0.int(0), $0.int(1)) } ?? (0, 0)
        guard seen + shown <= Self.queuesOfUser else { throw StoreError.limit("queues", Self.queuesOfUser) }
        guard all + new <= Self.queueNamesOfUser else {
            throw StoreError.limit("names of queues", Self.queueNamesOfUser)
        }
    }

    /// Counts jobs that came to stages of queues, or fewer than 0 that left them.
    public func countStages(_ changes: [QueueStage: Int]) throws {
        let changes = changes.filter { $0.value != 0 }.sorted {
            ($0.key.queueID, $0.key.stage.rawValue) < ($1.key.queueID, $1.key.stage.rawValue)
        }
        guard !changes.isEmpty else { return }
        try db.later(
            """
            INSERT INTO queue_stages (queue_id, stage, jobs) VALUES ($1, $2, $3)
            ON CONFLICT (queue_id, stage) DO UPDATE SET jobs = queue_stages.jobs + $4
            """,
            batch: changes.map { key, count in
                [.int(key.queueID), .text(key.stage.rawValue), .int(max(0, count)), .int(count)]
            })
    }

    /// Makes a queue.
    ///
    /// - Returns: false where the user has one of this name.
    public func makeQueue(_ name: String, ofUser user: Int) throws -> Bool {
        guard try reader.queue(name, ofUser: user) == nil else { return false }
        _ = try shownQueue(name, ofUser: user)
        return true
    }

    /// Says whether a queue of a user, which is made if it is not there, is handed out by pop alone.
    public func setPopped(_ isPopped: Bool, queue name: String, ofUser user: Int) throws {
        try db.run(
            "UPDATE queues SET popped = $2 WHERE id = $1",
            [.int(try shownQueue(name, ofUser: user)), .int(isPopped ? 1 : 0)])
    }

    /// Says for how long who popped a job of a queue, which is made if it is not there, may be silent.
    public func setLease(_ seconds: Int?, queue name: String, ofUser user: Int) throws {
        try db.run(
            "UPDATE queues SET lease_seconds = $2 WHERE id = $1",
            [.int(try shownQueue(name, ofUser: user)), SQLValue(seconds)])
    }

    /// Hides a queue, and dooms all that is in it: no worker gets any of that.
    public func removeQueue(_ id: Int, now: Timestamp) throws {
        try db.run(
            """
            UPDATE queues SET removed = $2, popped = 1, doomed = (SELECT COALESCE(MAX(id), 0) FROM jobs) WHERE id = $1
            """, [.int(id), .int(now.milliseconds)])
    }

    /// Notes that nothing is left of what a queue had when it was removed.
    public func clearDoom(_ queue: DoomedQueue) throws {
        try db.run("UPDATE queues SET doomed = NULL WHERE id = $1 AND doomed = $2", [.int(queue.id), .int(queue.last)])
    }
}
