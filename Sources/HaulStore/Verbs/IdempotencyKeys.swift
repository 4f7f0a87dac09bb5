public import HaulModel

/// What was answered under an idempotency key.
public struct KeptAnswer: Sendable, Hashable {
    /// A hash of the request.
    public var body: [UInt8]
    /// The jobs that it registered.
    public var jobIDs: [Int]

    public init(body: [UInt8], jobIDs: [Int]) {
        self.body = body
        self.jobIDs = jobIDs
    }
}

extension StoreReader {
    /// What was answered under users' keys, in order; nil for a key that is new, or too old to count.
    public func keptAnswers(_ keys: [(user: Int, key: String, since: Timestamp)]) throws -> [KeptAnswer?] {
        var found = [KeptAnswer?](repeating: nil, count: keys.count)
        try db.run(
            "SELECT body, jobs FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND made >= $3",
            batch: keys.map { [.int($0.user), .text($0.key), .int($0.since.milliseconds)] }
        ) { number, row in
            found[number] = KeptAnswer(body: row.blob(0), jobIDs: try SQLJSON.value([Int].self, row.text(1)))
        }
        return found
    }
}

extension StoreWriter {
    /// Keeps answers under keys of which each is named once, in the place of those that are too old to count.
    public func keepAnswers(_ answers: [(answer: KeptAnswer, user: Int, key: String)], now: Timestamp) throws {
        try db.later(
            """
            INSERT INTO idempotency_keys (user_id, key, body, jobs, made) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (user_id, key) DO UPDATE SET body = excluded.body, jobs = excluded.jobs, made = excluded.made
            """,
            batch: answers.map { answer, user, key in
                [
                    .int(user), .text(key), .blob(answer.body), .text(try SQLJSON.text(answer.jobIDs)),
                    .int(now.milliseconds),
                ]
            })
    }

    /// Forgets keys that are too old to count.
    ///
    /// - Returns: how many.
    public func forgetAnswers(before: Timestamp, limit: Int) throws -> Int {
        try db.run(
            """
            DELETE FROM idempotency_keys WHERE (user_id, key) IN
                (SELECT user_id, key FROM idempotency_keys WHERE made < $1 LIMIT $2)
            """, [.int(before.milliseconds), .int(limit)])
    }
}
