public import HaulModel

// A REMOVE's directories wait until all that is deeper has ended: counted by depth.
extension StoreReader {
    /// REMOVE jobs of which directories can be opened now, by id: nothing deeper than they are is left.
    public func openableRemovals(limit: Int) throws -> [Int] {
        try db.rows(
            """
            SELECT id FROM jobs j WHERE type = 2 AND expansion IS NULL AND intent IS NULL
                AND n_open > n_ready + n_submitted + n_running
                AND EXISTS (SELECT 1 FROM elements e INDEXED BY elements_held WHERE e.job_id = j.id AND e.phase = 0
                    AND e.depth = (SELECT MAX(d.depth) FROM depths d WHERE d.job_id = j.id AND d.open > 0))
            ORDER BY id LIMIT $1
            """, [.int(limit)]
        ) { $0.int(0) }
    }

    /// The deepest depth of a REMOVE at which something has not ended.
    public func deepestOpen(ofJob job: Int) throws -> Int? {
        try db.first("SELECT MAX(depth) FROM depths WHERE job_id = $1 AND open > 0", [.int(job)]) {
            $0.optionalInt(0)
        } ?? nil
    }

    /// Directories of a REMOVE that wait at a depth, and whether something in each of them failed.
    public func heldElements(ofJob job: Int, depth: Int, limit: Int) throws -> [(element: Element, isKept: Bool)] {
        try db.rows(
            """
            SELECT \(elementColumns),
                EXISTS (SELECT 1 FROM kept_directories k WHERE k.job_id = e.job_id AND k.path = e.src_path)
            FROM elements e INDEXED BY elements_held WHERE job_id = $1 AND phase = 0 AND depth = $2 ORDER BY id LIMIT $3
            """, [.int(job), .int(depth), .int(limit)]
        ) { (try Self.element($0), $0.int(16) == 1) }
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
    public func keepDirectory(_ path: String, ofJob job: Int) throws {
        try db.later(
            "INSERT INTO kept_directories (job_id, path) VALUES ($1, $2) ON CONFLICT (job_id, path) DO NOTHING",
            [.int(job), .text(path)])
    }

    /// Forgets which directories can't become empty, a piece at a time.
    ///
    /// - Returns: false once all is gone.
    public func forgetKeptDirectories(ofJob job: Int, limit: Int) throws -> Bool {
        try db.run(
            """
            DELETE FROM kept_directories WHERE job_id = $1 AND path IN
                (SELECT path FROM kept_directories WHERE job_id = $1 LIMIT $2)
            """, [.int(job), .int(limit)]) == limit
    }

    /// Forgets how many elements of an ended REMOVE had not ended, by depth.
    public func forgetDepths(ofJob job: Int) throws {
        try db.run("DELETE FROM depths WHERE job_id = $1", [.int(job)])
    }
}
