public import HaulModel

private let tokenColumns = "t.id, u.id, u.name, t.role, t.sites, t.queues, t.users, t.made, t.revoked"

extension StoreReader {
    /// A page of tokens by id, after one of them: everybody's, or a user's.
    public func tokens(ofUser user: Int? = nil, after: Int, limit: Int) throws -> [KnownToken] {
        guard let user else {
            return try tokens("WHERE t.id > $1 ORDER BY t.id LIMIT $2", [.int(after), .int(limit)])
        }
        return try tokens(
            "WHERE t.user_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3", [.int(user), .int(after), .int(limit)])
    }

    public func token(_ id: Int) throws -> KnownToken? { try tokens("WHERE t.id = $1", [.int(id)]).first }

    /// The token with this hash, revoked or not.
    public func knownToken(hash: [UInt8]) throws -> KnownToken? { try tokens("WHERE t.hash = $1", [.blob(hash)]).first }

    private func tokens(_ condition: String, _ values: [SQLValue]) throws -> [KnownToken] {
        try db.rows("SELECT \(tokenColumns) FROM tokens t JOIN users u ON u.id = t.user_id \(condition)", values) {
            row in
            KnownToken(
                record: try Self.token(row), made: Timestamp(milliseconds: row.int(7)),
                revoked: row.optionalInt(8).map(Timestamp.init(milliseconds:)))
        }
    }
}

extension StoreWriter {
    /// Revokes a token, and ends the sessions that were started with it: from the commit on their leases are worth
    /// nothing. What they held is taken back by the rescuer.
    ///
    /// - Returns: how many sessions ended; nil where there is no such token, or it was revoked before.
    public func revokeToken(_ id: Int, now: Timestamp) throws -> Int? {
        // The token first: who starts a session with it at this time waits, and starts none.
        let isRevoked = try db.run(
            "UPDATE tokens SET revoked = $2 WHERE id = $1 AND revoked IS NULL", [.int(id), .int(now.milliseconds)])
        guard isRevoked == 1 else { return nil }
        return try db.run(
            "UPDATE sessions SET ended = $2, revoked = $3 WHERE token_id = $1 AND ended IS NULL",
            [.int(id), .int(now.milliseconds), .text("the worker's token was revoked")])
    }

    /// Ends the session that a worker has, if it has one: its leases are worth nothing from the commit on.
    ///
    /// - Parameter reason: what the records of its attempts shall say.
    /// - Returns: false where there is no such worker.
    public func revokeSession(ofWorker name: String, because reason: String, now: Timestamp) throws -> Bool {
        let worker = try db.first("SELECT id FROM workers WHERE name = $1", [.text(name)]) { $0.int(0) }
        guard let worker else { return false }
        try db.run(
            "UPDATE sessions SET ended = $2, revoked = $3 WHERE worker_id = $1 AND ended IS NULL",
            [.int(worker), .int(now.milliseconds), .text(reason)])
        return true
    }
}
