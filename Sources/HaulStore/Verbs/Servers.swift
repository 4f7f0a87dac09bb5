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

    private static func server(_ row: any SQLRow) -> KnownServer {
        KnownServer(
            id: row.int(0), url: row.text(1), run: row.text(2), seen: Timestamp(milliseconds: row.int(3)))
    }
}

extension StoreWriter {
    /// Enters a server that starts: under the id that it knows itself by, else under the one that its address had, else
    /// under a new one.
    ///
    /// - Returns: the server as it stands from now on.
    public func joinServer(id known: Int?, url: String, run: String, now: Timestamp) throws -> KnownServer {
        if let id = try known.flatMap({ try reader.server($0) })?.id ?? reader.server(at: url)?.id {
            try db.run(
                "UPDATE servers SET url = $2, run = $3, seen = $4 WHERE id = $1",
                [.int(id), .text(url), .text(run), .int(now.milliseconds)])
            return KnownServer(id: id, url: url, run: run, seen: now)
        }
        let id = try db.first(
            "INSERT INTO servers (url, run, seen) VALUES ($1, $2, $3) RETURNING id",
            [.text(url), .text(run), .int(now.milliseconds)]
        ) { $0.int(0) }
        guard let id else { throw StoreError.failed("a server got no id") }
        return KnownServer(id: id, url: url, run: run, seen: now)
    }

    /// Notes that a run of a server lives.
    ///
    /// - Returns: false where another run has taken its place.
    public func touchServer(_ id: Int, run: String, now: Timestamp) throws -> Bool {
        try db.run(
            "UPDATE servers SET seen = $3 WHERE id = $1 AND run = $2", [.int(id), .text(run), .int(now.milliseconds)])
            == 1
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
