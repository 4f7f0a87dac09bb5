public import HaulModel

extension StoreReader {
    /// What ``bearer(_:)`` reads, of tokens `t` and users `u`.
    static let bearerColumns =
        "t.id, u.id, u.name, t.role, t.name, t.scopes, t.sites, t.queues, t.users, t.expires,"
        + " t.identity, u.member_of"

    /// The bearer of the token with this hash, unless it was revoked or nobody gets in under the user's name.
    public func token(hash: [UInt8]) throws -> TokenRecord? {
        try db.first(
            """
            SELECT \(Self.bearerColumns) FROM tokens t JOIN users u ON u.id = t.user_id
            WHERE t.hash = $1 AND t.revoked IS NULL AND u.disabled IS NULL
            """, [.blob(hash)], Self.bearer)
    }

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
        try db.rows(
            """
            SELECT \(Self.bearerColumns), t.made, t.revoked FROM tokens t JOIN users u ON u.id = t.user_id
            \(condition)
            """, values
        ) { row in
            KnownToken(
                record: try Self.bearer(row), made: Timestamp(milliseconds: row.int(12)),
                revoked: row.optionalInt(13).map(Timestamp.init(milliseconds:)))
        }
    }

    /// - Parameter row: ``bearerColumns`` first.
    static func bearer(_ row: any SQLRow) throws -> TokenRecord {
        var spec = TokenSpec(role: Role(rawValue: row.text(3)) ?? .user)
        spec.name = row.text(4)
        // A scope that a later program wrote lets nobody do anything here.
        spec.scopes = try row.optionalText(5).map { Set(try SQLJSON.value([String].self, $0).compactMap(Scope.init)) }
        spec.sites = try row.optionalText(6).map { try SQLJSON.value([Int].self, $0) }
        spec.queues = try row.optionalText(7).map { try SQLJSON.value([String].self, $0) }
        spec.users = try row.optionalText(8).map { try SQLJSON.value([String].self, $0) }
        spec.expires = row.optionalInt(9).map(Timestamp.init(milliseconds:))
        spec.identity = row.optionalText(10)
        var record = TokenRecord(id: row.int(0), user: User(id: row.int(1), name: row.text(2)), spec: spec)
        record.groups = try row.optionalText(11).map { Set(try SQLJSON.value([String].self, $0)) } ?? []
        return record
    }
}

extension StoreWriter {
    /// Keeps the hash of a new token.
    ///
    /// - Returns: its id.
    @discardableResult
    public func addToken(_ spec: TokenSpec, hash: [UInt8], user: User, now: Timestamp) throws -> Int {
        let ids = try db.insert(
            """
            INSERT INTO tokens (hash, user_id, role, name, scopes, sites, queues, users, expires, identity, made)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            """,
            batch: [
                [
                    .blob(hash), .int(user.id), .text(spec.role.rawValue), .text(spec.name),
                    SQLValue(try spec.scopes.map { try SQLJSON.text($0.map(\.rawValue).sorted()) }),
                    SQLValue(try spec.sites.map(SQLJSON.text)), SQLValue(try spec.queues.map(SQLJSON.text)),
                    SQLValue(try spec.users.map(SQLJSON.text)), SQLValue(spec.expires?.milliseconds),
                    SQLValue(spec.identity),
                    .int(now.milliseconds),
                ]
            ])
        guard let id = ids.first else { throw StoreError.failed("a token was not kept") }
        return id
    }

    /// Restricts what stands for somebody from outside to what the configuration says now.
    public func restrictToken(_ id: Int, to spec: TokenSpec) throws {
        try db.run(
            "UPDATE tokens SET name = $2, sites = $3, queues = $4, users = $5 WHERE id = $1",
            [
                .int(id), .text(spec.name), SQLValue(try spec.sites.map(SQLJSON.text)),
                SQLValue(try spec.queues.map(SQLJSON.text)), SQLValue(try spec.users.map(SQLJSON.text)),
            ])
    }

    /// Lets in again whom an issuer or an authority speaks for, after their user was let in again.
    public func restoreIdentities(ofUser user: Int) throws {
        try db.run("UPDATE tokens SET revoked = NULL WHERE user_id = $1 AND identity IS NOT NULL", [.int(user)])
    }

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

    /// Removes tokens that ended long ago and that no session names.
    ///
    /// - Returns: how many.
    public func forgetTokens(expiredBefore: Timestamp, limit: Int) throws -> Int {
        try db.run(
            """
            DELETE FROM tokens WHERE id IN
                (SELECT id FROM tokens t WHERE t.expires < $1
                AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.token_id = t.id) ORDER BY t.expires LIMIT $2)
            """, [.int(expiredBefore.milliseconds), .int(limit)])
    }
}
