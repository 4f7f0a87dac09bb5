extension StoreReader {
    /// A value that the servers of one database share, or nil.
    public func setting(_ name: String) throws -> [UInt8]? {
        try db.first("SELECT value FROM settings WHERE name = $1", [.text(name)]) { $0.blob(0) }
    }
}

extension StoreWriter {
    /// The value of a setting, which is `initial` when it had none.
    public func setting(_ name: String, initially initial: [UInt8]) throws -> [UInt8] {
        try db.run(
            "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            [.text(name), .blob(initial)])
        return try reader.setting(name) ?? initial
    }
}
