public import HaulModel

private let serverColumns = "id, url, run, seen"

extension StoreReader {
    public func server(_ id: Int) throws -> KnownServer? {
        try db.first("SELECT \(serverColumns) FROM servers WHERE id = $1", [.int(id)], Self.server)
    }

    /// The server that is reached at an address; of several the latest.
    public func server(at url: String) throws -> KnownServer? {
        try db.first(
            "SELECT \(serverColumns) FROM servers WHERE url = $1 ORDER BY id DESC LIMIT 1", [.text(url)], Self.server)
    }

    /// What time it is on the database's machine; nil where that is this one.
    public func time() throws -> Timestamp? {
        try db.clock.flatMap { try db.first($0) { Timestamp(milliseconds: $0.int(0)) } }
    }

    private static func server(_ row: any SQLRow) -> KnownServer {
        KnownServer(
            id: row.int(0), url: row.text(1), run: row.text(2), seen: Timestamp(milliseconds: row.int(3)))
    }
}

extension StoreWriter {
    /// Finds the row of a server that starts: that of the id that it knows itself by, else that of its address; one that is
    /// new gets one.
    ///
    /// - Returns: the row, which is left as it is: a run before this one may still live.
    public func findServer(id known: Int?, url: String, run: String, now: Timestamp) throws -> KnownServer {
        if let found = try known.flatMap({ try reader.server($0) }) ?? reader.server(at: url) { return found }
        let id = try db.first(
            "INSERT INTO servers (url, run, seen) VALUES ($1, $2, $3) RETURNING id",
            [.text(url), .text(run), .int(now.milliseconds)]
        ) { $0.int(0) }
        guard let id else { throw StoreError.failed("a server got no id") }
        return KnownServer(id: id, url: url, run: run, seen: now)
    }

    /// Enters the run of a server in the place of the one before.
    public func enterServer(_ server: KnownServer) throws {
        try db.run(
            """
            INSERT INTO servers (id, url, run, seen) VALUES ($1, $2, $3, $4)
            ON CONFLICT (id) DO UPDATE SET url = excluded.url, run = excluded.run, seen = excluded.seen
            """,
            [.int(server.id), .text(server.url), .text(server.run), .int(server.seen.milliseconds)])
    }

    /// Notes that a run of a server lives. One that nobody knows any more - the database is an older one - is entered again.
    ///
    /// - Returns: false where another run has taken its place.
    public func touchServer(_ server: KnownServer) throws -> Bool {
        let isKnown =
            try db.run(
                "UPDATE servers SET seen = $3 WHERE id = $1 AND run = $2",
                [.int(server.id), .text(server.run), .int(server.seen.milliseconds)]) == 1
        if isKnown { return true }
        guard try reader.server(server.id) == nil else { return false }
        try enterServer(server)
        return true
    }

    /// Forgets servers that were not heard of for long.
    ///
    /// - Returns: how many.
    public func forgetServers(unseenSince: Timestamp, limit: Int) throws -> Int {
        try db.run(
            "DELETE FROM servers WHERE id IN (SELECT id FROM servers WHERE seen < $1 LIMIT $2)",
            [.int(unseenSince.milliseconds), .int(limit)])
    }
}
