public import HaulModel

extension StoreReader {
    /// Workers by name, after one of them.
    public func workers(after: String, limit: Int) throws -> [KnownWorker] {
        try workers("WHERE w.name > $1 ORDER BY w.name LIMIT $2", [.text(after), .int(limit)])
    }

    public func worker(named name: String) throws -> KnownWorker? {
        try workers("WHERE w.name = $1", [.text(name)]).first
    }

    /// The worker of a name if it lives, else those that live on the machine of that name, by theirs.
    public func liveWorkers(named name: String, limit: Int) throws -> [KnownWorker] {
        if let worker = try worker(named: name), worker.session != nil { return [worker] }
        return try workers(
            "WHERE w.host = $1 AND s.id IS NOT NULL ORDER BY w.name LIMIT $2", [.text(name), .int(limit)])
    }

    /// True for the session of a worker that gets no more work.
    public func isDrained(session: Int) throws -> Bool {
        try db.first(
            """
            SELECT w.drained IS NOT NULL FROM sessions s JOIN workers w ON w.id = s.worker_id WHERE s.id = $1
            """, [.int(session)]
        ) { $0.int(0) == 1 } ?? false
    }

    func workers(_ condition: String, _ values: [SQLValue]) throws -> [KnownWorker] {
        try db.rows(
            """
            SELECT w.name, w.host, w.version, w.slots, w.protocols, w.sites, w.load, w.seen, w.drained, s.id,
                (SELECT COUNT(*) FROM attempts a WHERE a.session_id = s.id AND a.ended IS NULL)
            FROM workers w LEFT JOIN sessions s ON s.worker_id = w.id AND s.worker_id IS NOT NULL AND s.ended IS NULL
            \(condition)
            """, values
        ) { row in
            KnownWorker(
                record: WorkerRecord(
                    name: row.text(0), host: row.text(1), version: row.text(2), slots: row.int(3),
                    protocols: try SQLJSON.value([String].self, row.text(4)),
                    sites: try SQLJSON.value([Int].self, row.text(5))),
                load: row.optionalDouble(6), seen: Timestamp(milliseconds: row.int(7)),
                drained: row.optionalInt(8).map(Timestamp.init(milliseconds:)), session: row.optionalInt(9),
                holding: row.int(10))
        }
    }
}

extension StoreWriter {
    /// Says that a worker gets no more work, or does again.
    ///
    /// - Returns: false where there is no such worker.
    public func setDrained(_ drained: Timestamp?, worker name: String) throws -> Bool {
        try db.run(
            """
            UPDATE workers SET drained = CASE WHEN CAST($2 AS BIGINT) IS NULL THEN NULL ELSE COALESCE(drained, CAST($2 AS BIGINT)) END WHERE name = $1
            """, [.text(name), SQLValue(drained?.milliseconds)]) == 1
    }
}
