public import HaulModel

/// A credential's secret as it stands in the database.
public struct SealedCredential: Sendable, Hashable {
    public var credential: Credential
    /// Which of the vault's keys sealed it.
    public var keyID: String
    public var sealed: [UInt8]
}

extension StoreReader {
    private static let columns =
        "c.id, c.user_id, c.site_id, c.kind, c.subject, c.expires, c.changed, c.revision, u.name"
    private static let tables = "credentials c JOIN users u ON u.id = c.user_id"

    /// A user's, by id. There are few: ``StoreWriter/keepCredential(_:...)``'s callers see to that.
    public func credentials(ofUser user: Int) throws -> [Credential] {
        try db.rows(
            "SELECT \(Self.columns) FROM \(Self.tables) WHERE c.user_id = $1 ORDER BY c.id", [.int(user)],
            Self.credential)
    }

    public func sealedCredential(_ id: Int) throws -> SealedCredential? {
        try sealed("WHERE c.id = $1", [.int(id)]).first
    }

    /// A page of those that other keys than this one sealed, by id, after one of them.
    public func sealedCredentials(notBy key: String, after id: Int, limit: Int) throws -> [SealedCredential] {
        try sealed("WHERE c.id > $1 AND c.key_id <> $2 ORDER BY c.id LIMIT $3", [.int(id), .text(key), .int(limit)])
    }

    private func sealed(_ condition: String, _ values: [SQLValue]) throws -> [SealedCredential] {
        try db.rows("SELECT \(Self.columns), c.key_id, c.sealed FROM \(Self.tables) \(condition)", values) { row in
            SealedCredential(credential: Self.credential(row), keyID: row.text(9), sealed: row.blob(10))
        }
    }

    private static func credential(_ row: any SQLRow) -> Credential {
        Credential(
            id: row.int(0), userID: row.int(1), userName: row.text(8), siteID: row.int(2) == 0 ? nil : row.int(2) - 1,
            kind: row.text(3),
            subject: row.text(4), expires: row.optionalInt(5).map(Timestamp.init(milliseconds:)),
            changed: Timestamp(milliseconds: row.int(6)), revision: row.int(7))
    }
}

extension StoreWriter {
    /// Keeps a credential in the place of the one of the same user, site and kind.
    ///
    /// - Parameter seal: gets its id, answers its secret as it shall stand here.
    /// - Returns: it, with id and revision.
    public func keepCredential(
        _ credential: Credential, seal: (Credential) -> (keyID: String, sealed: [UInt8])
    ) throws -> Credential {
        var kept = credential
        let known = try reader.credentials(ofUser: credential.userID).first {
            $0.siteID == credential.siteID && $0.kind == credential.kind
        }
        kept.revision = (known?.revision ?? 0) + 1
        if let known {
            kept.id = known.id
        } else {
            // What is sealed is bound to its id, which the row gets first.
            let ids = try db.insert(
                """
                INSERT INTO credentials (user_id, site_id, kind, subject, changed, revision, key_id, sealed)
                VALUES ($1, $2, $3, '', $4, 0, '-', $5)
                """,
                batch: [
                    [
                        .int(kept.userID), .int(kept.siteID.map { $0 + 1 } ?? 0), .text(kept.kind),
                        .int(kept.changed.milliseconds), .blob([]),
                    ]
                ])
            guard let id = ids.first else { throw StoreError.failed("a credential was not kept") }
            kept.id = id
        }
        let secret = seal(kept)
        try db.run(
            """
            UPDATE credentials SET subject = $2, expires = $3, changed = $4, revision = $5, key_id = $6, sealed = $7
            WHERE id = $1
            """,
            [
                .int(kept.id), .text(kept.subject), SQLValue(kept.expires?.milliseconds),
                .int(kept.changed.milliseconds),
                .int(kept.revision), .text(secret.keyID), .blob(secret.sealed),
            ])
        return kept
    }

    /// Seals a secret anew, unless it was replaced meanwhile.
    public func reseal(_ old: SealedCredential, keyID: String, sealed: [UInt8]) throws {
        try db.run(
            "UPDATE credentials SET key_id = $3, sealed = $4 WHERE id = $1 AND revision = $2",
            [.int(old.credential.id), .int(old.credential.revision), .text(keyID), .blob(sealed)])
    }

    /// - Returns: false where the user has no such one.
    public func removeCredential(_ id: Int, ofUser user: Int) throws -> Bool {
        try db.run("DELETE FROM credentials WHERE id = $1 AND user_id = $2", [.int(id), .int(user)]) == 1
    }

    /// Notes which key the vault has, where none was noted; answers the one that counts.
    public func vaultKey(initially key: String) throws -> String {
        String(decoding: try setting("vault_key", initially: Array(key.utf8)), as: UTF8.self)
    }

    public func setVaultKey(_ key: String) throws {
        try db.run(
            """
            INSERT INTO settings (name, value) VALUES ('vault_key', $1)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """, [.blob(Array(key.utf8))])
    }
}
