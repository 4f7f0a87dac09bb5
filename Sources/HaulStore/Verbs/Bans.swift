public import HaulModel

extension Ask {
    /// All bans, by site.
    public static var bans: Question<[Ban]> {
        Question("SELECT site_id, reason, made FROM bans ORDER BY site_id", nothing: []) {
            $0.append(Ban(siteID: $1.int(0), reason: $1.text(1), made: Timestamp(milliseconds: $1.int(2))))
        }
    }
}

extension StoreReader {
    /// All bans, by site.
    public func bans() throws -> [Ban] { try answer(to: Ask.bans) }
}

extension StoreWriter {
    /// Closes a site, or gives the reason anew.
    public func ban(site: Int, reason: String, now: Timestamp) throws {
        try db.run(
            """
            INSERT INTO bans (site_id, reason, made) VALUES ($1, $2, $3)
            ON CONFLICT (site_id) DO UPDATE SET reason = excluded.reason
            """, [.int(site), .text(reason), .int(now.milliseconds)])
    }

    public func unban(site: Int) throws {
        try db.run("DELETE FROM bans WHERE site_id = $1", [.int(site)])
    }
}
