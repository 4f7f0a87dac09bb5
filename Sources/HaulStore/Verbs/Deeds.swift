public import HaulModel

extension StoreReader {
    /// A page of the record of changes by number, after one of them.
    public func deeds(_ filter: DeedFilter, after id: Int, limit: Int) throws -> [KnownDeed] {
        // A long record is not gone through from its beginning: what is older than `since` has smaller numbers.
        var first = id
        if let since = filter.since {
            let before = try db.first(
                "SELECT id FROM deeds WHERE time < $1 ORDER BY time DESC, id DESC LIMIT 1", [.int(since.milliseconds)]
            ) { $0.int(0) }
            first = max(first, before ?? 0)
        }
        var conditions = ["id > $1"]
        var values: [SQLValue] = [.int(first), .int(limit)]
        for (column, value) in [("name", filter.name), ("action", filter.action)] {
            guard let value else { continue }
            values.append(.text(value))
            conditions.append("\(column) = $\(values.count)")
        }
        return try db.rows(
            """
            SELECT id, time, name, token_id, address, action, target, detail FROM deeds
            WHERE \(conditions.joined(separator: " AND ")) ORDER BY id LIMIT $2
            """, values
        ) { row in
            KnownDeed(
                id: row.int(0), time: Timestamp(milliseconds: row.int(1)),
                actor: Requester(name: row.text(2), token: row.optionalInt(3), address: row.text(4)),
                action: row.text(5),
                target: row.text(6), detail: row.text(7))
        }
    }
}

extension StoreWriter {
    /// Records what this transaction does. Nil of an actor: the service itself, of which there is no record.
    public func note(_ deed: Deed, by actor: Requester?, now: Timestamp) throws {
        if let actor { try note([(deed, actor)], now: now) }
    }

    public func note(_ deeds: [(deed: Deed, actor: Requester)], now: Timestamp) throws {
        guard !deeds.isEmpty else { return }
        try db.later(
            """
            INSERT INTO deeds (time, name, token_id, address, action, target, detail)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            """,
            batch: deeds.map { deed, actor in
                [
                    .int(now.milliseconds), .text(actor.name), SQLValue(actor.token), .text(actor.address),
                    .text(deed.action.rawValue), .text(deed.target), .text(deed.detail),
                ]
            })
    }

    /// Removes what was recorded before a time.
    ///
    /// - Returns: how many.
    public func forgetDeeds(before: Timestamp, limit: Int) throws -> Int {
        try db.run(
            "DELETE FROM deeds WHERE id IN (SELECT id FROM deeds WHERE time < $1 ORDER BY time LIMIT $2)",
            [.int(before.milliseconds), .int(limit)])
    }
}
