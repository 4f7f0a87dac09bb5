public import HaulModel

extension StoreReader {
    /// All sites, by id.
    public func sites() throws -> [Site] {
        try db.rows("SELECT id, name, protocol, endpoints, options, root FROM sites ORDER BY id") { row in
            guard let protocolName = ProtocolName(text: row.text(2)) else {
                throw StoreError.failed("site \(row.int(0)) has no valid protocol")
            }
            return Site(
                id: row.int(0), name: row.text(1), protocolName: protocolName,
                endpoints: try SQLJSON.value([String].self, row.text(3)), options: try SQLJSON.options(row.text(4)),
                root: row.optionalText(5))
        }
    }
}

extension StoreWriter {
    /// Makes the sites of the database those of the configuration.
    public func replaceSites(_ sites: [Site]) throws {
        try db.run("DELETE FROM sites")
        for site in sites {
            try db.run(
                "INSERT INTO sites (id, name, protocol, endpoints, options, root) VALUES ($1, $2, $3, $4, $5, $6)",
                [
                    .int(site.id), .text(site.name), .text(site.protocolName.name),
                    .text(try SQLJSON.text(site.endpoints)), .text(try SQLJSON.options(site.options)),
                    SQLValue(site.root),
                ])
        }
    }
}
