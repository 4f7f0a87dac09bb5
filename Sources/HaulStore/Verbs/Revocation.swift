public import HaulModel

extension StoreWriter {
    /// Ends the session that a worker has, if it has one: its leases are worth nothing from the commit on.
    ///
    /// - Parameter reason: what the records of its attempts shall say.
    /// - Returns: false where there is no such worker.
    public func revokeSession(ofWorker name: String, because reason: String, now: Timestamp) throws -> Bool {
        let worker = try db.first("SELECT id FROM workers WHERE name = $1", [.text(name)]) { $0.int(0) }
        guard let worker else { return false }
        try db.run(
            "UPDATE sessions SET ended = $2, revoked = $3 WHERE worker_id = $1 AND ended IS NULL",
            [.int(worker), .int(now.milliseconds), .text(reason)])
        return true
    }
}
