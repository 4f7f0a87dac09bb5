public import HaulModel

extension Ask {
    /// All breakers: none while all is well.
    public static var breakers: Question<[Breaker.Key: Breaker]> {
        Question(
            """
            SELECT site_id, other_id, failures, routes, trips, opened, until, class, probe_job, probe_element,
                probe_attempt, changed FROM breakers ORDER BY site_id, other_id
            """, nothing: [:]
        ) { breakers, row in
            var breaker = Breaker(
                key: .init(row.int(0), to: row.int(1)), changed: Timestamp(milliseconds: row.int(11)))
            breaker.failures = row.int(2)
            breaker.routes = row.int(3)
            breaker.trips = row.int(4)
            breaker.opened = row.optionalInt(5).map(Timestamp.init(milliseconds:))
            breaker.until = row.optionalInt(6).map(Timestamp.init(milliseconds:))
            breaker.errorClass = row.optionalText(7).flatMap(ErrorClass.init)
            if let job = row.optionalInt(8) {
                breaker.probe = AttemptID(jobID: job, elementID: row.int(9), number: row.int(10))
            }
            breakers[breaker.key] = breaker
        }
    }
}

extension StoreReader {
    /// All breakers, by site.
    public func breakers() throws -> [Breaker] {
        try answer(to: Ask.breakers).values.sorted { $0.key < $1.key }
    }
}

extension StoreWriter {
    public func putBreaker(_ breaker: Breaker) throws {
        try db.run(
            """
            INSERT INTO breakers (site_id, other_id, failures, routes, trips, opened, until, class, probe_job,
                probe_element, probe_attempt, changed)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            ON CONFLICT (site_id, other_id) DO UPDATE SET failures = excluded.failures, routes = excluded.routes,
                trips = excluded.trips, opened = excluded.opened, until = excluded.until, class = excluded.class,
                probe_job = excluded.probe_job, probe_element = excluded.probe_element,
                probe_attempt = excluded.probe_attempt, changed = excluded.changed
            """,
            [
                .int(breaker.key.siteID), .int(breaker.key.otherID), .int(breaker.failures), .int(breaker.routes),
                .int(breaker.trips), SQLValue(breaker.opened?.milliseconds), SQLValue(breaker.until?.milliseconds),
                SQLValue(breaker.errorClass?.rawValue), SQLValue(breaker.probe?.jobID),
                SQLValue(breaker.probe?.elementID), SQLValue(breaker.probe?.number), .int(breaker.changed.milliseconds),
            ])
    }

    public func removeBreaker(_ key: Breaker.Key) throws {
        try db.run(
            "DELETE FROM breakers WHERE site_id = $1 AND other_id = $2", [.int(key.siteID), .int(key.otherID)])
    }
}
