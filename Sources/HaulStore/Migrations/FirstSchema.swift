extension Migrations {
    /// Times are milliseconds since 1970 (UTC). Integers of types, statuses and phases are HaulModel's raw values.
    static let firstSchema = firstPeople + "\n" + firstPlaces + "\n" + firstWork

    /// Jobs and who works on them.
    private static let firstWork = """
        CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL REFERENCES users(id),
            queue_id INTEGER NOT NULL REFERENCES queues(id),
            lane_id INTEGER REFERENCES lanes(id),
            -- -1 while none is named.
            type INTEGER NOT NULL CHECK (type BETWEEN -1 AND 5),
            protocol TEXT NOT NULL,
            status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 5),
            src_site INTEGER NOT NULL,
            src_path TEXT NOT NULL,
            dst_site INTEGER,
            dst_path TEXT,
            options TEXT NOT NULL,
            priority INTEGER NOT NULL CHECK (priority BETWEEN 0 AND 9),
            max_tries INTEGER NOT NULL CHECK (max_tries BETWEEN 1 AND 100),
            label TEXT,
            deadline INTEGER,
            log_uid TEXT NOT NULL UNIQUE CHECK (length(log_uid) = 32),
            registered INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            -- Raised with every change: by it watchers know what they have seen.
            revision INTEGER NOT NULL DEFAULT 1,
            n_new INTEGER NOT NULL DEFAULT 0 CHECK (n_new >= 0),
            n_done INTEGER NOT NULL DEFAULT 0 CHECK (n_done >= 0),
            n_failed INTEGER NOT NULL DEFAULT 0 CHECK (n_failed >= 0),
            n_submitted INTEGER NOT NULL DEFAULT 0 CHECK (n_submitted >= 0),
            n_running INTEGER NOT NULL DEFAULT 0 CHECK (n_running >= 0),
            n_cancelled INTEGER NOT NULL DEFAULT 0 CHECK (n_cancelled >= 0),
            -- Elements that have not ended; of those, the ones that can be handed out.
            n_open INTEGER NOT NULL DEFAULT 0 CHECK (n_open >= 0),
            n_ready INTEGER NOT NULL DEFAULT 0 CHECK (n_ready BETWEEN 0 AND n_open),
            -- NULL unless the listing is there and not yet all that follows from it: where the expansion stands.
            expansion TEXT,
            -- The expansion that a cancel or the deadline cut off: a retry goes on with it.
            cut_expansion TEXT,
            -- What is wanted of the whole job and done in pieces: HaulModel's JobIntent; and the element done last.
            intent INTEGER CHECK (intent IN (1, 2, 3, 4)),
            swept INTEGER NOT NULL DEFAULT -1,
            -- It stays, with its logs, until its user lets it go.
            keep INTEGER NOT NULL DEFAULT 0 CHECK (keep IN (0, 1)),
            -- Its time is over: nobody sees it any more, its rows and logs go in pieces.
            forgotten INTEGER,
            -- What was asked of it, as it was given: JSON, where it was registered first and committed later.
            request TEXT,
            -- 1 where that has a text by which the job is known: what a TASK has to do, or words that mean a transfer.
            worded INTEGER NOT NULL DEFAULT 0 CHECK (worded IN (0, 1)),
            -- 0 until that was found to be a job that can be run: type, places and options count for nothing then.
            sound INTEGER NOT NULL DEFAULT 1 CHECK (sound IN (0, 1)),
            -- When the first of it was handed out, and when it ended.
            started INTEGER,
            ended INTEGER,
            -- Seconds from its start after which it is cancelled, 0 is any number; and when that is.
            execution_seconds INTEGER NOT NULL DEFAULT 0 CHECK (execution_seconds >= 0),
            must_end INTEGER CHECK (must_end IS NULL OR execution_seconds > 0 AND started IS NOT NULL),
            -- Why the last of its elements that failed did so, and which one that is.
            class TEXT,
            culprit INTEGER,
            -- When it is cancelled and removed.
            destruction INTEGER,
            -- Nobody who asks for the same is given it any more: what it made is gone.
            unjoined INTEGER NOT NULL DEFAULT 0 CHECK (unjoined IN (0, 1)),
            CHECK (forgotten IS NULL OR status IN (1, 2, 5) OR sound = 0),
            CHECK (sound = 1 OR request IS NOT NULL AND status IN (0, 2, 5)),
            CHECK (sound = 0 OR type >= 0 AND lane_id IS NOT NULL),
            CHECK (request IS NOT NULL OR worded = 0 AND type <> 5),
            CHECK (sound = 0 OR (type IN (1, 3)) = (dst_site IS NOT NULL AND dst_path IS NOT NULL)),
            CHECK ((status = 4) = (n_running > 0)),
            CHECK (status <> 0 OR n_new + n_done + n_failed + n_submitted + n_running + n_cancelled = 0),
            CHECK (status = 0
                OR (status IN (1, 2, 5)) = (n_open = 0 AND expansion IS NULL AND COALESCE(intent, 0) <> 3)),
            CHECK (status <> 1 OR (n_failed = 0 AND n_cancelled = 0)),
            CHECK (status <> 2 OR n_failed > 0 OR cut_expansion IS NOT NULL),
            CHECK (status <> 5 OR n_cancelled > 0 OR cut_expansion IS NOT NULL OR sound = 0));
        CREATE INDEX jobs_of_user ON jobs (user_id, id);
        CREATE INDEX jobs_of_queue ON jobs (queue_id, id);
        CREATE INDEX jobs_of_type ON jobs (user_id, type, id);
        -- Most jobs are DONE after a while: those that a user looks for by another status are few.
        CREATE INDEX jobs_not_done ON jobs (user_id, status, id) WHERE status <> 1;
        -- Those that failed for one reason, and those whose data is at one site.
        CREATE INDEX jobs_failed ON jobs (user_id, (COALESCE(class, 'unknown')), id) WHERE status = 2;
        CREATE INDEX jobs_of_place ON jobs (user_id, (COALESCE(dst_site, src_site)), id);
        -- By when they ended: a user's, and everybody's, as operators look for them.
        CREATE INDEX jobs_ended ON jobs (user_id, ended) WHERE ended IS NOT NULL;
        CREATE INDEX jobs_all_ended ON jobs (ended) WHERE ended IS NOT NULL;
        CREATE INDEX jobs_not_ended ON jobs (id) WHERE ended IS NULL;
        -- Those that began and wait for the next of their elements.
        CREATE INDEX jobs_between ON jobs (user_id, id) WHERE status = 3 AND started IS NOT NULL;
        CREATE INDEX jobs_in_lane ON jobs (lane_id, id) WHERE n_ready > 0 AND COALESCE(intent, 3) = 3;
        -- Those that can be popped: as a whole.
        CREATE INDEX jobs_poppable ON jobs (lane_id, id) WHERE n_ready > 0 AND COALESCE(intent, 3) = 3
            AND expansion IS NULL AND n_new + n_done + n_failed + n_submitted + n_running + n_cancelled = 1;
        -- Nearly finished: three quarters of its elements have ended.
        CREATE INDEX jobs_tail ON jobs (user_id, priority, id) WHERE n_ready > 0 AND COALESCE(intent, 3) = 3
            AND expansion IS NULL
            AND n_open * 4 <= n_new + n_done + n_failed + n_submitted + n_running + n_cancelled;
        CREATE INDEX jobs_to_forget ON jobs (changed) WHERE status IN (1, 2, 5) AND keep = 0;
        CREATE INDEX drafts_to_forget ON jobs (changed) WHERE sound = 0 AND keep = 0;
        CREATE INDEX jobs_forgotten ON jobs (id) WHERE forgotten IS NOT NULL;
        CREATE INDEX jobs_unsound ON jobs (user_id, id) WHERE sound = 0;
        CREATE INDEX jobs_to_sweep ON jobs (id) WHERE intent IS NOT NULL;
        CREATE INDEX jobs_deadline ON jobs (deadline, id) WHERE deadline IS NOT NULL AND status IN (3, 4);
        CREATE INDEX jobs_overtime ON jobs (must_end, id) WHERE must_end IS NOT NULL AND status IN (3, 4);
        CREATE INDEX jobs_to_destroy ON jobs (destruction, id) WHERE destruction IS NOT NULL AND forgotten IS NULL;
        CREATE INDEX jobs_expanding ON jobs (id) WHERE expansion IS NOT NULL;
        -- REMOVE jobs of which something waits that can't be handed out yet: not those, maybe very many, that wait as a whole.
        CREATE INDEX jobs_opening ON jobs (id) WHERE type = 2 AND expansion IS NULL AND intent IS NULL
            AND n_open > n_ready + n_submitted + n_running;

        -- What users keep with their jobs: a JSON object, and its bytes. One that was emptied stays, so that no revision is
        -- there twice: who changes it outside of a transaction knows by that whether it is still what was read.
        CREATE TABLE job_properties (
            job_id INTEGER PRIMARY KEY REFERENCES jobs(id),
            document TEXT NOT NULL,
            size INTEGER NOT NULL CHECK (size >= 2),
            revision INTEGER NOT NULL CHECK (revision >= 1));

        -- Jobs that stand for what was asked, by its SHA-256: who asks for the same joins them.
        CREATE TABLE joined_jobs (
            user_id INTEGER NOT NULL REFERENCES users(id),
            key BLOB NOT NULL CHECK (length(key) = 32),
            job_id INTEGER NOT NULL REFERENCES jobs(id),
            PRIMARY KEY (user_id, key)) WITHOUT ROWID;
        CREATE INDEX joined_jobs_of_job ON joined_jobs (job_id);

        CREATE TABLE elements (
            job_id INTEGER NOT NULL REFERENCES jobs(id),
            id INTEGER NOT NULL CHECK (id >= 0),
            type INTEGER NOT NULL CHECK (type BETWEEN 0 AND 5),
            phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 8),
            src_path TEXT NOT NULL,
            dst_path TEXT,
            size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
            depth INTEGER NOT NULL DEFAULT 0 CHECK (depth >= 0),
            max_tries INTEGER NOT NULL CHECK (max_tries >= 1),
            attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
            forgiven INTEGER NOT NULL DEFAULT 0 CHECK (forgiven BETWEEN 0 AND attempts),
            -- Of those, what users took back, or did not come back with.
            returned INTEGER NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND forgiven),
            not_before INTEGER,
            class TEXT,
            reason TEXT,
            unwanted INTEGER NOT NULL DEFAULT 0 CHECK (unwanted IN (0, 1)),
            changed INTEGER NOT NULL,
            -- Raised with every change: who decided on what it saw earlier knows that it still stands.
            revision INTEGER NOT NULL DEFAULT 1,
            PRIMARY KEY (job_id, id),
            CHECK ((phase = 2) = (not_before IS NOT NULL)),
            CHECK (attempts - forgiven <= max_tries),
            CHECK (phase NOT IN (1, 2, 3, 4, 8) OR attempts - forgiven < max_tries),
            CHECK (phase <> 5 OR attempts > forgiven),
            CHECK (phase <> 6 OR class IS NOT NULL)) WITHOUT ROWID;
        -- What a claim takes from: it has to find the first of a million at once.
        CREATE INDEX elements_ready ON elements (job_id, id) WHERE phase = 1;
        CREATE INDEX elements_delayed ON elements (not_before) WHERE phase = 2;
        -- Failed ones are few, and looked for from the last one on.
        CREATE INDEX elements_failed ON elements (job_id, id) WHERE phase = 6;
        CREATE INDEX elements_between_tries ON elements (job_id, id) WHERE phase = 2;
        CREATE INDEX elements_popped ON elements (job_id, id) WHERE phase = 8;
        CREATE INDEX elements_held ON elements (job_id, depth, id) WHERE phase = 0;

        -- Elements of a REMOVE that have not ended, by depth: a depth opens when all deeper ones are empty.
        CREATE TABLE depths (
            job_id INTEGER NOT NULL REFERENCES jobs(id),
            depth INTEGER NOT NULL,
            open INTEGER NOT NULL CHECK (open >= 0),
            PRIMARY KEY (job_id, depth)) WITHOUT ROWID;

        -- Directories of a REMOVE that can't become empty, because something in them failed: by SHA-256 of their paths, as
        -- a path may be longer than what PostgreSQL takes into an index (2,704 bytes).
        CREATE TABLE kept_directories (
            job_id INTEGER NOT NULL REFERENCES jobs(id),
            path_hash BLOB NOT NULL CHECK (length(path_hash) = 32),
            PRIMARY KEY (job_id, path_hash)) WITHOUT ROWID;

        CREATE TABLE workers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            host TEXT NOT NULL,
            version TEXT NOT NULL,
            slots INTEGER NOT NULL,
            protocols TEXT NOT NULL,
            sites TEXT NOT NULL,
            load REAL,
            -- Since when it gets no more work.
            drained INTEGER,
            seen INTEGER NOT NULL);

        CREATE TABLE sessions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            -- NULL for the implicit session of a claim without one, as workers of the documented system make it.
            worker_id INTEGER REFERENCES workers(id),
            token_id INTEGER NOT NULL REFERENCES tokens(id),
            worker TEXT NOT NULL,
            started INTEGER NOT NULL,
            expires INTEGER NOT NULL,
            ended INTEGER,
            -- Why it was ended before its time; NULL where the time came, or the worker began anew.
            revoked TEXT CHECK (revoked IS NULL OR ended IS NOT NULL),
            -- When the last of its leases had been taken back: nothing refers to it any more.
            released INTEGER CHECK (released IS NULL OR ended IS NOT NULL));
        CREATE UNIQUE INDEX sessions_one_live ON sessions (worker_id) WHERE ended IS NULL;
        CREATE INDEX sessions_of_token ON sessions (token_id);
        CREATE INDEX sessions_without_worker ON sessions (token_id, expires) WHERE ended IS NULL AND worker_id IS NULL;
        CREATE INDEX sessions_of_worker ON sessions (worker_id) WHERE worker_id IS NOT NULL;
        CREATE INDEX workers_seen ON workers (seen);
        CREATE INDEX sessions_expiring ON sessions (expires) WHERE ended IS NULL;
        CREATE INDEX sessions_to_release ON sessions (id) WHERE ended IS NOT NULL AND released IS NULL;
        CREATE INDEX sessions_released ON sessions (released) WHERE released IS NOT NULL;

        CREATE TABLE attempts (
            job_id INTEGER NOT NULL,
            element_id INTEGER NOT NULL,
            number INTEGER NOT NULL CHECK (number >= 1),
            -- The session's row goes some time after its last lease; who it was stands in `worker`. 0 of one that was popped:
            -- `worker` is the user then, and `until` when the lease ends where it does.
            session_id INTEGER NOT NULL,
            until INTEGER,
            worker TEXT NOT NULL,
            started INTEGER NOT NULL,
            ended INTEGER,
            status INTEGER CHECK (status IN (1, 2, 5)),
            class TEXT,
            reason TEXT,
            returncode INTEGER,
            transferred INTEGER, elapsed REAL, instant REAL, average REAL,
            checksum TEXT,
            log_file TEXT, log_offset INTEGER, log_length INTEGER,
            listing_length INTEGER,
            -- The server that took what there is of its log and listing, from before the first byte was acknowledged.
            server_id INTEGER,
            -- A hash of the report that ended it, by which the same report is known again.
            report BLOB,
            PRIMARY KEY (job_id, element_id, number),
            FOREIGN KEY (job_id, element_id) REFERENCES elements (job_id, id),
            CHECK ((ended IS NULL) = (status IS NULL)),
            CHECK (status <> 2 OR class IS NOT NULL),
            CHECK ((log_file IS NULL) = (log_offset IS NULL) AND (log_file IS NULL) = (log_length IS NULL))
            ) WITHOUT ROWID;
        CREATE UNIQUE INDEX attempts_one_live ON attempts (job_id, element_id) WHERE ended IS NULL;
        CREATE INDEX attempts_popped ON attempts (until, job_id, element_id) WHERE until IS NOT NULL AND ended IS NULL;
        CREATE INDEX attempts_live ON attempts (session_id, job_id, element_id) WHERE ended IS NULL;

        CREATE TABLE idempotency_keys (
            user_id INTEGER NOT NULL REFERENCES users(id),
            key TEXT NOT NULL,
            body BLOB NOT NULL,
            -- The ids of the jobs that were registered under it: a JSON array.
            jobs TEXT NOT NULL,
            made INTEGER NOT NULL,
            PRIMARY KEY (user_id, key)) WITHOUT ROWID;
        CREATE INDEX idempotency_keys_made ON idempotency_keys (made);
        """
}
