extension Migrations {
    /// Who may do what, what they show, and what they did. Times and the like as in ``firstSchema``.
    static let firstPeople = """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            -- What logins are; Argon2id's text; since when nobody gets in under the name.
            role TEXT NOT NULL DEFAULT 'user' CHECK (role IN ('user', 'worker', 'operator')),
            password TEXT,
            -- Names, a JSON array; NULL is none.
            member_of TEXT,
            disabled INTEGER,
            -- Elements handed out, as fairness counts them.
            vtime INTEGER NOT NULL DEFAULT 0,
            -- Bytes of the properties of their jobs, all together.
            property_bytes INTEGER NOT NULL DEFAULT 0 CHECK (property_bytes >= 0),
            registered INTEGER NOT NULL);

        CREATE TABLE tokens (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
            user_id INTEGER NOT NULL REFERENCES users(id),
            role TEXT NOT NULL CHECK (role IN ('user', 'worker', 'operator')),
            -- What a worker's token is restricted to: JSON arrays; NULL is everything.
            sites TEXT, queues TEXT, users TEXT,
            -- What its maker calls it; what of its role it has, a JSON array, NULL is all of it.
            name TEXT NOT NULL DEFAULT '',
            scopes TEXT,
            -- Of one that nobody holds: whom it stands for, of those for whom an issuer or an authority speaks. No text has
            -- its hash.
            identity TEXT,
            made INTEGER NOT NULL,
            expires INTEGER,
            revoked INTEGER);
        CREATE INDEX tokens_of_user ON tokens (user_id, id);
        CREATE INDEX tokens_that_expire ON tokens (expires) WHERE expires IS NOT NULL;

        -- What users show at sites. The secret is sealed with a key that is not here.
        CREATE TABLE credentials (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users(id),
            -- A site's id and one; 0 is every site.
            site_id INTEGER NOT NULL CHECK (site_id >= 0),
            kind TEXT NOT NULL CHECK (kind <> ''),
            subject TEXT NOT NULL,
            expires INTEGER,
            changed INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            key_id TEXT NOT NULL,
            sealed BLOB NOT NULL,
            UNIQUE (user_id, site_id, kind));

        -- Passwords that were wrong, by a hash of who tried which name. What is tried counts until it turns out right.
        CREATE TABLE login_failures (
            hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
            failures INTEGER NOT NULL CHECK (failures >= 0),
            -- No other is tried before.
            until INTEGER NOT NULL,
            changed INTEGER NOT NULL);
        CREATE INDEX login_failures_by_age ON login_failures (changed);

        -- The record of changes: who did what, when, from where. It is only added to, and loses what is too old.
        CREATE TABLE deeds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            time INTEGER NOT NULL,
            -- As it was then; no reference, since it outlives users and tokens.
            name TEXT NOT NULL,
            token_id INTEGER,
            address TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT NOT NULL,
            detail TEXT NOT NULL);
        CREATE INDEX deeds_by_time ON deeds (time);
        \(deedsStay)
        """

    /// No statement changes a line of the record.
    static let deedsStay = """
        CREATE TRIGGER deeds_stay BEFORE UPDATE ON deeds
        BEGIN SELECT RAISE(ABORT, 'the record is only added to'); END;
        """
}
