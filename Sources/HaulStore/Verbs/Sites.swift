public import HaulModel

/// A site as the database keeps it.
public struct KeptSite: Sendable, Hashable {
    public var id: Int
    public var name: String
    /// What ``Site/document`` is.
    public var body: [String: JSONValue]
    /// What the configuration said of it when it was taken over last; nil where it never did.
    public var seed: [String: JSONValue]?
    public var isRemoved: Bool

    public init(
        id: Int, name: String, body: [String: JSONValue], seed: [String: JSONValue]? = nil, isRemoved: Bool = false
    ) {
        self.id = id
        self.name = name
        self.body = body
        self.seed = seed
        self.isRemoved = isRemoved
    }
}

extension StoreReader {
    /// All sites that are there, by id.
    public func sites() throws -> [KeptSite] {
        try db.rows("SELECT id, name, body, seed, removed FROM sites WHERE removed IS NULL ORDER BY id", [], Self.site)
    }

    public func site(_ id: Int) throws -> KeptSite? {
        try db.first("SELECT id, name, body, seed, removed FROM sites WHERE id = $1", [.int(id)], Self.site)
    }

    public func site(named name: String) throws -> KeptSite? {
        try db.first("SELECT id, name, body, seed, removed FROM sites WHERE name = $1", [.text(name)], Self.site)
    }

    /// How many sites a user made: that are there, and at all.
    public func sites(ofOwner owner: String) throws -> (there: Int, ever: Int) {
        try db.first("SELECT COUNT(*) - COUNT(removed), COUNT(*) FROM sites WHERE owner = $1", [.text(owner)]) {
            ($0.int(0), $0.int(1))
        } ?? (0, 0)
    }

    /// The highest id that any site has had, or 0.
    public func highestSiteID() throws -> Int {
        try db.first("SELECT COALESCE(MAX(id), 0) FROM sites") { $0.int(0) } ?? 0
    }

    /// Raised with each change of a site.
    public func sitesRevision() throws -> [UInt8] { try setting("sites_revision") ?? [] }

    private static func site(_ row: any SQLRow) throws -> KeptSite {
        KeptSite(
            id: row.int(0), name: row.text(1), body: try SQLJSON.value([String: JSONValue].self, row.text(2)),
            seed: try row.optionalText(3).map { try SQLJSON.value([String: JSONValue].self, $0) },
            isRemoved: row.optionalInt(4) != nil)
    }
}

extension StoreWriter {
    /// Keeps a site, in the place of what was known of its id.
    public func keep(_ site: KeptSite, now: Timestamp) throws {
        try db.run(
            """
            INSERT INTO sites (id, name, body, seed, owner, changed, removed) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (id) DO UPDATE SET name = excluded.name, body = excluded.body, seed = excluded.seed,
                owner = excluded.owner, changed = excluded.changed, removed = excluded.removed
            """,
            [
                .int(site.id), .text(site.name), .text(try SQLJSON.text(site.body)),
                SQLValue(try site.seed.map(SQLJSON.text)), SQLValue(site.body["owner"]?.string),
                .int(now.milliseconds), site.isRemoved ? .int(now.milliseconds) : .null,
            ])
        try raiseSitesRevision()
    }

    private func raiseSitesRevision() throws {
        let now = try reader.sitesRevision().reversed().reduce(0) { ($0 << 8 | UInt64($1)) } &+ 1
        let bytes = (0..<8).map { UInt8(truncatingIfNeeded: now >> (8 * UInt64($0))) }
        try db.run(
            """
            INSERT INTO settings (name, value) VALUES ('sites_revision', $1)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """, [.blob(bytes)])
    }
}
