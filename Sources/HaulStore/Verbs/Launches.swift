public import HaulModel

/// Whom a launched worker works for.
public struct LaunchOwner: Sendable, Hashable {
    public var user: User
    public var queue: String
    /// Nobody gets in under the user's name.
    public var isDisabled: Bool
}

extension StoreReader {
    private static let launchColumns =
        "l.id, l.queue_id, l.number, l.phase, l.starts, l.failures, l.not_before, l.server_id, l.run, l.token_id, l.place,"
        + " l.reason, l.unwanted, l.asked, l.changed, l.kind"

    private static func launch(_ row: any SQLRow) -> Launch {
        var launch = Launch(
            id: row.int(0), queueID: row.int(1), number: row.int(2), asked: Timestamp(milliseconds: row.int(13)))
        launch.phase = Launch.Phase(rawValue: row.int(3)) ?? .ended
        launch.starts = row.int(4)
        launch.failures = row.int(5)
        launch.notBefore = row.optionalInt(6).map(Timestamp.init(milliseconds:))
        launch.server = row.optionalInt(7)
        launch.run = row.optionalText(8)
        launch.token = row.optionalInt(9)
        launch.place = row.optionalText(10)
        launch.reason = row.optionalText(11)
        launch.isUnwanted = row.int(12) == 1
        launch.changed = Timestamp(milliseconds: row.int(14))
        launch.kind = row.optionalInt(15).flatMap(Launch.Kind.init)
        return launch
    }

    public func launch(_ id: Int) throws -> Launch? {
        try db.first("SELECT \(Self.launchColumns) FROM launches l WHERE l.id = $1", [.int(id)], Self.launch)
    }

    /// A queue's, by number.
    public func launches(ofQueue queue: Int) throws -> [Launch] {
        try db.rows(
            "SELECT \(Self.launchColumns) FROM launches l WHERE l.queue_id = $1 ORDER BY l.number", [.int(queue)],
            Self.launch)
    }

    /// Those that have not ended, by id, after one of them.
    public func openLaunches(after: Int, limit: Int) throws -> [Launch] {
        try db.rows(
            "SELECT \(Self.launchColumns) FROM launches l WHERE l.phase <> 3 AND l.id > $1 ORDER BY l.id LIMIT $2",
            [.int(after), .int(limit)], Self.launch)
    }

    /// How many of a user have not ended, nor are to end.
    public func countLaunches(ofUser user: Int) throws -> Int {
        try db.first(
            """
            SELECT COUNT(*) FROM launches l JOIN queues q ON q.id = l.queue_id
            WHERE q.user_id = $1 AND l.phase <> 3 AND l.unwanted = 0
            """, [.int(user)]
        ) { $0.int(0) } ?? 0
    }

    /// How many workers may be there: all, or what one run of a server started.
    public func countLaunched(by server: (id: Int, run: String)?) throws -> Int {
        try db.first(
            """
            SELECT COUNT(*) FROM launches WHERE phase <> 3 AND phase <> 0
                AND (CAST($1 AS BIGINT) IS NULL OR server_id = $1 AND run = $2)
            """, [SQLValue(server?.id), .text(server?.run ?? "")]
        ) { $0.int(0) } ?? 0
    }

    /// The next one to start: of the user who has the fewest workers the one that was asked for first.
    public func nextLaunch(now: Timestamp) throws -> Launch? {
        try db.first(
            """
            SELECT \(Self.launchColumns) FROM launches l JOIN queues q ON q.id = l.queue_id
            LEFT JOIN (SELECT p.user_id AS id, COUNT(*) AS workers FROM launches o JOIN queues p ON p.id = o.queue_id
                WHERE o.phase <> 3 AND o.phase <> 0 GROUP BY p.user_id) has ON has.id = q.user_id
            WHERE l.phase <> 3 AND l.phase = 0 AND (l.not_before IS NULL OR l.not_before <= $1)
            ORDER BY COALESCE(has.workers, 0), l.asked, l.id LIMIT 1
            """, [.int(now.milliseconds)], Self.launch)
    }

    /// Whom one works for.
    public func owner(of launch: Launch) throws -> LaunchOwner? {
        try db.first(
            """
            SELECT u.id, u.name, q.name, u.disabled FROM queues q JOIN users u ON u.id = q.user_id WHERE q.id = $1
            """, [.int(launch.queueID)]
        ) {
            LaunchOwner(
                user: User(id: $0.int(0), name: $0.text(1)), queue: $0.text(2), isDisabled: $0.optionalInt(3) != nil)
        }
    }
}

extension StoreWriter {
    /// Notes that a worker is asked for.
    public func addLaunch(queue: Int, number: Int, now: Timestamp) throws {
        try db.run(
            "INSERT INTO launches (queue_id, number, phase, asked, changed) VALUES ($1, $2, 0, $3, $3)",
            [.int(queue), .int(number), .int(now.milliseconds)])
    }

    /// Writes a launch as it is now.
    public func update(_ launch: Launch) throws {
        try db.run(
            """
            UPDATE launches SET phase = $2, starts = $3, failures = $4, not_before = $5, server_id = $6, run = $7,
                token_id = $8, place = $9, reason = $10, unwanted = $11, asked = $12, changed = $13, kind = $14
            WHERE id = $1
            """,
            [
                .int(launch.id), .int(launch.phase.rawValue), .int(launch.starts), .int(launch.failures),
                SQLValue(launch.notBefore?.milliseconds), SQLValue(launch.server), SQLValue(launch.run),
                SQLValue(launch.token), SQLValue(launch.place), SQLValue(launch.reason),
                .int(launch.isUnwanted ? 1 : 0), .int(launch.asked.milliseconds), .int(launch.changed.milliseconds),
                SQLValue(launch.kind?.rawValue),
            ])
    }

    /// Forgets those that ended before a time.
    public func forgetLaunches(endedBefore: Timestamp, limit: Int) throws {
        try db.run(
            "DELETE FROM launches WHERE id IN (SELECT id FROM launches WHERE phase = 3 AND changed < $1 LIMIT $2)",
            [.int(endedBefore.milliseconds), .int(limit)])
    }

    /// Revokes a token for good: its row goes when no session names it any more.
    public func endToken(_ id: Int, now: Timestamp) throws {
        _ = try revokeToken(id, now: now)
        try db.run("UPDATE tokens SET expires = $2 WHERE id = $1", [.int(id), .int(now.milliseconds)])
    }
}
