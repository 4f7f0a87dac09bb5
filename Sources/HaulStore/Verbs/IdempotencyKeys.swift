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
    public func keptAnswer(user: Int, key: String, since: Timestamp) throws -> KeptAnswer? {
        try db.first(
            "SELECT body, jobs FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND made >= $3",
            [.int(user), .text(key), .int(since.milliseconds)]
        ) { KeptAnswer(body: $0.blob(0), jobIDs: try SQLJSON.value([Int].self, $0.text(1))) }
    }
}

extension StoreWriter {
    /// Keeps an answer under a key, in the place of one that is too old to count.
    public func keepAnswer(_ answer: KeptAnswer, user: Int, key: String, now: Timestamp) throws {
        try db.later(
            """
            INSERT INTO idempotency_keys (user_id, key, body, jobs, made) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (user_id, key) DO UPDATE SET body = excluded.body, jobs = excluded.jobs, made = excluded.made
            """,
            [
                .int(user), .text(key), .blob(answer.body), .text(try SQLJSON.text(answer.jobIDs)),
                .int(now.milliseconds),
            ])
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
