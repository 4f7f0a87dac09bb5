extension Migrations {
    /// Servers, sites and queues, and in which order they are served.
    static let firstPlaces = """
        CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

        -- The servers of this database, and where each is reached by the others.
        CREATE TABLE servers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            url TEXT NOT NULL CHECK (url <> ''),
            -- Changes with each start: what was meant for an earlier run of it is worth nothing.
            run TEXT NOT NULL CHECK (run <> ''),
            seen INTEGER NOT NULL);
        CREATE INDEX servers_url ON servers (url, id);
        CREATE INDEX servers_seen ON servers (seen);

        -- The virtual clock of fairness: what the user who was served last had been given before. And the number of the
        -- claim that took last.
        CREATE TABLE fairness (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            clock INTEGER NOT NULL,
            turn INTEGER NOT NULL);
        INSERT INTO fairness (id, clock, turn) VALUES (1, 0, 0);

        -- How often the servers of this database told each other of changes: who missed one finds out by it.
        CREATE TABLE changes (id INTEGER PRIMARY KEY CHECK (id = 1), number INTEGER NOT NULL);
        INSERT INTO changes (id, number) VALUES (1, 0);

        -- What jobs may name. A row stays when its site is removed: neither its id nor its name is another's then.
        CREATE TABLE sites (
            id INTEGER PRIMARY KEY CHECK (id >= 0),
            name TEXT NOT NULL UNIQUE CHECK (name <> ''),
            -- JSON, as in sites.json5; and what that file said of it last, NULL if it never did.
            body TEXT NOT NULL,
            seed TEXT,
            owner TEXT,
            changed INTEGER NOT NULL,
            removed INTEGER);
        CREATE INDEX sites_of_owner ON sites (owner) WHERE owner IS NOT NULL;

        -- Sites that operators closed, and why.
        CREATE TABLE bans (
            site_id INTEGER PRIMARY KEY,
            reason TEXT NOT NULL CHECK (reason <> ''),
            made INTEGER NOT NULL);

        -- What went wrong at sites, or (other_id >= 0) between two, since something went well there: HaulModel's Breaker.
        CREATE TABLE breakers (
            site_id INTEGER NOT NULL,
            other_id INTEGER NOT NULL,
            failures INTEGER NOT NULL CHECK (failures >= 0),
            routes INTEGER NOT NULL CHECK (routes >= 0),
            trips INTEGER NOT NULL CHECK (trips >= 0),
            opened INTEGER,
            until INTEGER,
            class TEXT,
            probe_job INTEGER, probe_element INTEGER, probe_attempt INTEGER,
            changed INTEGER NOT NULL,
            PRIMARY KEY (site_id, other_id),
            CHECK ((opened IS NULL) = (until IS NULL) AND (opened IS NULL) = (trips = 0)),
            CHECK ((probe_job IS NULL) = (probe_element IS NULL) AND (probe_job IS NULL) = (probe_attempt IS NULL)),
            CHECK (opened IS NOT NULL OR probe_job IS NULL)) WITHOUT ROWID;

        -- Elements that are with workers, by what limits count them: HaulModel's LimitScope.
        CREATE TABLE occupancy (
            kind INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4),
            id INTEGER NOT NULL,
            elements INTEGER NOT NULL CHECK (elements >= 0),
            PRIMARY KEY (kind, id)) WITHOUT ROWID;

        CREATE TABLE queues (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users(id),
            name TEXT NOT NULL CHECK (name <> ''),
            -- Since when nothing of it is handed out.
            paused INTEGER,
            -- Elements of it that may be with workers at once.
            running_limit INTEGER CHECK (running_limit >= 1),
            -- Its jobs are handed out by pop alone; for how many seconds who popped one may be silent, NULL is for ever.
            popped INTEGER NOT NULL DEFAULT 0 CHECK (popped IN (0, 1)),
            lease_seconds INTEGER CHECK (lease_seconds >= 1),
            -- Since when nobody sees it; the row stays, and is the same queue's again when its user makes one of its name.
            removed INTEGER,
            -- Jobs up to this one go: they were there when it was removed.
            doomed INTEGER,
            UNIQUE (user_id, name));
        CREATE INDEX queues_doomed ON queues (user_id, id) WHERE doomed IS NOT NULL;

        -- How many jobs of a queue that users can see are at each stage: kept, not counted.
        CREATE TABLE queue_stages (
            queue_id INTEGER NOT NULL REFERENCES queues(id),
            stage TEXT NOT NULL CHECK (stage <> ''),
            jobs INTEGER NOT NULL CHECK (jobs >= 0),
            PRIMARY KEY (queue_id, stage)) WITHOUT ROWID;

        -- Workers that were asked for: HaulModel's Launch. A row is used again once its worker has ended.
        CREATE TABLE launches (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            queue_id INTEGER NOT NULL REFERENCES queues(id),
            number INTEGER NOT NULL CHECK (number >= 1),
            phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 3),
            starts INTEGER NOT NULL DEFAULT 0 CHECK (starts >= 0),
            failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
            not_before INTEGER,
            -- Who started it, and what it shows: a row of servers and one of tokens, which may be gone before it.
            server_id INTEGER, run TEXT, token_id INTEGER,
            -- What its life hangs on (0: that server, 1: a cluster), and what that calls it.
            kind INTEGER CHECK (kind IN (0, 1)), place TEXT,
            reason TEXT,
            unwanted INTEGER NOT NULL DEFAULT 0 CHECK (unwanted IN (0, 1)),
            asked INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            UNIQUE (queue_id, number),
            CHECK ((phase IN (1, 2)) = (server_id IS NOT NULL AND run IS NOT NULL AND token_id IS NOT NULL
                AND kind IS NOT NULL)),
            CHECK (unwanted = 0 OR phase IN (1, 2)));
        CREATE INDEX launches_open ON launches (id) WHERE phase <> 3;
        CREATE INDEX launches_ended ON launches (changed) WHERE phase = 3;

        -- Jobs whose progress somebody waits for, and for how long at least: their workers tell it more often.
        CREATE TABLE watches (
            job_id INTEGER PRIMARY KEY,
            until INTEGER NOT NULL);
        CREATE INDEX watches_over ON watches (until);

        CREATE TABLE lanes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users(id),
            queue_id INTEGER NOT NULL REFERENCES queues(id),
            priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 9),
            type INTEGER NOT NULL CHECK (type BETWEEN 0 AND 5),
            protocol TEXT NOT NULL,
            -- -1 of a TASK.
            src_site INTEGER NOT NULL,
            -- 0 where the jobs have no destination, so that UNIQUE holds.
            dst_site INTEGER NOT NULL,
            ready INTEGER NOT NULL DEFAULT 0 CHECK (ready >= 0),
            -- The number of the claim that last took something of it: a user's lanes take turns.
            turn INTEGER NOT NULL DEFAULT 0,
            UNIQUE (user_id, queue_id, priority, type, protocol, src_site, dst_site));
        CREATE INDEX lanes_ready ON lanes (priority, user_id, turn, id) WHERE ready > 0;
        """
}
