public import HaulModel

// A REMOVE's directories wait until all that is deeper has ended: counted by depth.
extension StoreReader {
    /// REMOVE jobs of which directories can be opened now, by id, after one of them: nothing deeper than they are is left.
    public func openableRemovals(after: Int = 0, limit: Int) throws -> [Int] {
        try db.rows(
            """
            SELECT id FROM jobs j WHERE type = 2 AND expansion IS NULL AND intent IS NULL AND id > $1
                AND n_open > n_ready + n_submitted + n_running
                AND EXISTS (SELECT 1 FROM elements e INDEXED BY elements_held WHERE e.job_id = j.id AND e.phase = 0
                    AND e.depth = (SELECT MAX(d.depth) FROM depths d WHERE d.job_id = j.id AND d.open > 0))
            ORDER BY id LIMIT $2
            """, [.int(after), .int(limit)]
        ) { $0.int(0) }
    }

    /// The deepest depth of a REMOVE at which something has not ended.
    public func deepestOpen(ofJob job: Int) throws -> Int? {
        try db.first("SELECT MAX(depth) FROM depths WHERE job_id = $1 AND open > 0", [.int(job)]) {
            $0.optionalInt(0)
        } ?? nil
    }

    /// Directories of a REMOVE that wait at a depth.
    public func heldElements(ofJob job: Int, depth: Int, limit: Int) throws -> [Element] {
        try db.rows(
            """
            SELECT \(elementColumns)
            FROM elements e INDEXED BY elements_held WHERE job_id = $1 AND phase = 0 AND depth = $2 ORDER BY id LIMIT $3
            """, [.int(job), .int(depth), .int(limit)], Self.element)
    }

    /// Which directories of a REMOVE, each given by the SHA-256 of its path, can't become empty: their places.
    public func keptDirectories(among hashes: [[UInt8]], ofJob job: Int) throws -> Set<Int> {
        var kept: Set<Int> = []
        try db.run(
            "SELECT job_id FROM kept_directories WHERE job_id = $1 AND path_hash = $2",
            batch: hashes.map { [.int(job), .blob($0)] }
        ) { place, _ in kept.insert(place) }
        return kept
    }

    /// REMOVE jobs that ended and whose depths are still kept.
    public func endedRemovals(limit: Int) throws -> [Int] {
        try db.rows(
            """
            SELECT j.id FROM (SELECT DISTINCT job_id FROM depths) d JOIN jobs j ON j.id = d.job_id
            WHERE j.n_open = 0 AND j.expansion IS NULL AND j.intent IS NULL LIMIT $1
            """, [.int(limit)]
        ) { $0.int(0) }
    }

    /// Whether a REMOVE job has ended: nothing will ask for its depths any more.
    public func isEndedRemoval(_ job: Int) throws -> Bool {
        try db.first(
            "SELECT id FROM jobs WHERE id = $1 AND n_open = 0 AND expansion IS NULL AND intent IS NULL", [.int(job)]
        ) { $0.int(0) } != nil
    }
}

extension StoreWriter {
    /// Counts elements of a REMOVE that have not ended at a depth.
    public func addOpen(_ count: Int, ofJob job: Int, depth: Int) throws {
        try db.later(
            """
            INSERT INTO depths (job_id, depth, open) VALUES ($1, $2, $3)
            ON CONFLICT (job_id, depth) DO UPDATE SET open = depths.open + excluded.open
            """, [.int(job), .int(depth), .int(count)])
    }

    /// An element of a REMOVE ended at a depth.
    ///
    /// - Returns: how many there have not.
    public func closeOne(ofJob job: Int, depth: Int) throws -> Int {
        try db.first(
            "UPDATE depths SET open = open - 1 WHERE job_id = $1 AND depth = $2 RETURNING open",
            [.int(job), .int(depth)]
        ) { $0.int(0) } ?? 0
    }

    /// Notes that a directory of a REMOVE can't become empty.
    ///
    /// - Parameter hash: SHA-256 of its path.
    public func keepDirectory(_ hash: [UInt8], ofJob job: Int) throws {
        try db.later(
            """
            INSERT INTO kept_directories (job_id, path_hash) VALUES ($1, $2) ON CONFLICT (job_id, path_hash) DO NOTHING
            """, [.int(job), .blob(hash)])
    }

    /// Forgets which directories can't become empty, a piece at a time.
    ///
    /// - Returns: false once all is gone.
    public func forgetKeptDirectories(ofJob job: Int, limit: Int) throws -> Bool {
        try db.run(
            """
            DELETE FROM kept_directories WHERE job_id = $1 AND path_hash IN
                (SELECT path_hash FROM kept_directories WHERE job_id = $1 LIMIT $2)
            """, [.int(job), .int(limit)]) == limit
    }

    /// Forgets how many elements of an ended REMOVE had not ended, by depth.
    public func forgetDepths(ofJob job: Int) throws {
        try db.run("DELETE FROM depths WHERE job_id = $1", [.int(job)])
    }
}
