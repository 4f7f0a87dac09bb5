public import HaulModel

extension StoreReader {
    /// The bearer of the token with this hash, unless it was revoked.
    public func token(hash: [UInt8]) throws -> TokenRecord? {
        try db.first(
            """
            SELECT t.id, u.id, u.name, t.role, t.sites, t.queues, t.users
            FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.hash = $1 AND t.revoked IS NULL
            """, [.blob(hash)], Self.token)
    }

    static func token(_ row: any SQLRow) throws -> TokenRecord {
        TokenRecord(
            id: row.int(0), user: User(id: row.int(1), name: row.text(2)), role: Role(rawValue: row.text(3)) ?? .user,
            sites: try row.optionalText(4).map { try SQLJSON.value([Int].self, $0) },
            queues: try row.optionalText(5).map { try SQLJSON.value([String].self, $0) },
            users: try row.optionalText(6).map { try SQLJSON.value([String].self, $0) })
    }

    public func user(named name: String) throws -> User? {
        try db.first("SELECT id, name FROM users WHERE name = $1", [.text(name)]) {
            User(id: $0.int(0), name: $0.text(1))
        }
    }
}

extension StoreWriter {
    /// The user of this name, made when there is none.
    public func user(named name: String, now: Timestamp) throws -> User {
        try db.run(
            "INSERT INTO users (name, registered) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            [.text(name), .int(now.milliseconds)])
        guard let user = try reader.user(named: name) else { throw StoreError.failed("user \(name) was not made") }
        return user
    }

    /// Keeps the hash of a new token.
    public func addToken(
        hash: [UInt8], user: User, role: Role, sites: [Int]?, queues: [String]?, users: [String]?, now: Timestamp
    ) throws {
        try db.run(
            """
            INSERT INTO tokens (hash, user_id, role, sites, queues, users, made) VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            [
                .blob(hash), .int(user.id), .text(role.rawValue), SQLValue(try sites.map(SQLJSON.text)),
                SQLValue(try queues.map(SQLJSON.text)), SQLValue(try users.map(SQLJSON.text)), .int(now.milliseconds),
            ])
    }
}
