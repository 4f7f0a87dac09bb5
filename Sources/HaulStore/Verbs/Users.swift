public import HaulModel

extension Ask {
    /// Names of users, by id.
    public static func names(ofUsers ids: some Collection<Int>) -> Question<[Int: String]> {
        Question("SELECT id, name FROM users WHERE id = $1", batch: ids.map { [.int($0)] }, nothing: [:]) {
            $0[$2.int(0)] = $2.text(1)
        }
    }
}

extension StoreReader {
    public func user(named name: String) throws -> User? {
        try db.first("SELECT id, name FROM users WHERE name = $1", [.text(name)]) {
            User(id: $0.int(0), name: $0.text(1))
        }
    }

    /// "" where there is none.
    public func name(ofUser id: Int) throws -> String {
        try db.first("SELECT name FROM users WHERE id = $1", [.int(id)]) { $0.text(0) } ?? ""
    }

    public func account(named name: String) throws -> Account? {
        try accounts("WHERE name = $1", [.text(name)]).first
    }

    /// A page of users by name, after one of them.
    public func accounts(after: String, limit: Int) throws -> [Account] {
        try accounts("WHERE name > $1 ORDER BY name LIMIT $2", [.text(after), .int(limit)])
    }

    private func accounts(_ condition: String, _ values: [SQLValue]) throws -> [Account] {
        try db.rows(
            "SELECT id, name, role, password, registered, disabled, member_of FROM users \(condition)", values
        ) { row in
            Account(
                user: User(id: row.int(0), name: row.text(1)), role: Role(rawValue: row.text(2)) ?? .user,
                password: row.optionalText(3), registered: Timestamp(milliseconds: row.int(4)),
                disabled: row.optionalInt(5).map(Timestamp.init(milliseconds:)),
                groups: try row.optionalText(6).map { try SQLJSON.value([String].self, $0) } ?? [])
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

    /// Makes a user.
    ///
    /// - Returns: false where there is one of this name.
    public func addAccount(named name: String, role: Role, password: String?, now: Timestamp) throws -> Bool {
        let added = try db.run(
            """
            INSERT INTO users (name, role, password, registered) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING
            """, [.text(name), .text(role.rawValue), SQLValue(password), .int(now.milliseconds)])
        return added == 1
    }

    public func change(_ change: AccountChange, ofUser id: Int, now: Timestamp) throws {
        if let role = change.role {
            try db.run("UPDATE users SET role = $2 WHERE id = $1", [.int(id), .text(role.rawValue)])
        }
        if let password = change.password {
            try db.run("UPDATE users SET password = $2 WHERE id = $1", [.int(id), SQLValue(password)])
        }
        if let groups = change.groups {
            try db.run(
                "UPDATE users SET member_of = $2 WHERE id = $1",
                [.int(id), groups.isEmpty ? .null : .text(try SQLJSON.text(groups))])
        }
        if let isDisabled = change.isDisabled {
            try db.run(
                "UPDATE users SET disabled = CASE WHEN $2 = 0 THEN NULL ELSE COALESCE(disabled, $3) END WHERE id = $1",
                [.int(id), .int(isDisabled ? 1 : 0), .int(now.milliseconds)])
        }
    }
}
