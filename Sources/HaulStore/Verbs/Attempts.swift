public import HaulModel

let attemptColumns = """
    a.job_id, a.element_id, a.number, a.session_id, a.worker, a.started, a.ended, a.status, a.class, a.reason,
    a.returncode, a.transferred, a.elapsed, a.instant, a.average, a.checksum, a.log_file, a.log_offset, a.log_length,
    a.listing_length, a.server_id
    """

extension Ask {
    /// Attempts by name, in order; nil for what is not there.
    public static func attempts(_ ids: [AttemptID]) -> Question<[Attempt?]> {
        Question(
            "SELECT \(attemptColumns) FROM attempts a WHERE job_id = $1 AND element_id = $2 AND number = $3",
            batch: ids.map { [.int($0.jobID), .int($0.elementID), .int($0.number)] },
            nothing: [Attempt?](repeating: nil, count: ids.count)
        ) { found, number, row in found[number] = try StoreReader.attempt(row) }
    }

    /// The worker that tried the last of a job's elements that one tried, by the job's id.
    public static func workers(ofJobs ids: some Collection<Int>) -> Question<[Int: String]> {
        Question(
            """
            SELECT job_id, worker FROM attempts WHERE job_id = $1 AND session_id <> 0
            ORDER BY element_id DESC, number DESC LIMIT 1
            """,
            batch: ids.map { [.int($0)] }, nothing: [:]
        ) { $0[$2.int(0)] = $2.text(1) }
    }
}

extension StoreReader {
    public func attempt(_ id: AttemptID) throws -> Attempt? {
        try db.first(
            "SELECT \(attemptColumns) FROM attempts a WHERE job_id = $1 AND element_id = $2 AND number = $3",
            [.int(id.jobID), .int(id.elementID), .int(id.number)], Self.attempt)
    }

    /// The hash of the report that ended an attempt; nil while it runs, and where no report ended it.
    public func report(_ id: AttemptID) throws -> [UInt8]? {
        try db.first(
            "SELECT report FROM attempts WHERE job_id = $1 AND element_id = $2 AND number = $3",
            [.int(id.jobID), .int(id.elementID), .int(id.number)]
        ) { $0.optionalBlob(0) } ?? nil
    }

    /// An element's latest attempt that ended.
    public func latestAttempt(ofElement element: Int, ofJob job: Int) throws -> Attempt? {
        try db.first(
            """
            SELECT \(attemptColumns) FROM attempts a WHERE job_id = $1 AND element_id = $2 AND ended IS NOT NULL
            ORDER BY number DESC LIMIT 1
            """, [.int(job), .int(element)], Self.attempt)
    }

    /// An element's attempt that runs.
    public func liveAttempt(ofElement element: Int, ofJob job: Int) throws -> Attempt? {
        try db.first(
            "SELECT \(attemptColumns) FROM attempts a WHERE job_id = $1 AND element_id = $2 AND ended IS NULL",
            [.int(job), .int(element)], Self.attempt)
    }

    /// What the attempts of a job that run moved so far, all of them together, and the longest of their times; nil before
    /// the first progress.
    public func progress(ofJob job: Int) throws -> Attempt.Progress? {
        var sum: Attempt.Progress?
        try db.run(
            """
            SELECT transferred, elapsed, instant, average FROM attempts INDEXED BY attempts_one_live
            WHERE job_id = $1 AND ended IS NULL AND transferred IS NOT NULL
            """, [.int(job)]
        ) { row in
            let one = Attempt.Progress(
                transferred: row.int(0), elapsed: row.double(1), instant: row.double(2), average: row.double(3))
            sum = sum.map { $0.together(with: one) } ?? one
        }
        return sum
    }

    /// Attempts that ended, with the types of their elements: by element and number, after one of them.
    ///
    /// - Parameter latestOnly: of each element its last alone.
    public func endedAttempts(
        ofJob job: Int, latestOnly: Bool, after: (element: Int, number: Int), limit: Int
    ) throws -> [(attempt: Attempt, type: JobType)] {
        let latest = """
            AND a.number = (SELECT MAX(b.number) FROM attempts b
                WHERE b.job_id = a.job_id AND b.element_id = a.element_id AND b.ended IS NOT NULL)
            """
        return try db.rows(
            """
            SELECT \(attemptColumns), e.type FROM attempts a
            JOIN elements e ON e.job_id = a.job_id AND e.id = a.element_id
            WHERE a.job_id = $1 AND (a.element_id, a.number) > ($2, $3) AND a.ended IS NOT NULL \(latestOnly ? latest : "")
            ORDER BY a.element_id, a.number LIMIT $4
            """, [.int(job), .int(after.element), .int(after.number), .int(limit)]
        ) { row in (try Self.attempt(row), JobType(rawValue: row.int(21)) ?? .list) }
    }

    static func attempt(_ row: any SQLRow) throws -> Attempt {
        var log: Attempt.LogPlace?
        if let file = row.optionalText(16) {
            log = Attempt.LogPlace(file: file, offset: row.int(17), length: row.int(18))
        }
        var progress: Attempt.Progress?
        if let transferred = row.optionalInt(11) {
            progress = Attempt.Progress(
                transferred: transferred, elapsed: row.double(12), instant: row.double(13), average: row.double(14))
        }
        return Attempt(
            jobID: row.int(0), elementID: row.int(1), number: row.int(2), sessionID: row.int(3), worker: row.text(4),
            started: Timestamp(milliseconds: row.int(5)), ended: row.optionalInt(6).map(Timestamp.init(milliseconds:)),
            status: row.optionalInt(7).flatMap(Status.init), errorClass: row.optionalText(8).flatMap(ErrorClass.init),
            reason: row.optionalText(9), returnCode: row.optionalInt(10), progress: progress,
            checksum: row.optionalText(15), log: log, listingLength: row.optionalInt(19),
            server: row.optionalInt(20))
    }
}

extension StoreWriter {
    /// It has not ended; said so that no index but the primary key's fits. Those of what runs fit as well, and a planner that
    /// has not seen the table yet may take the one of sessions, from end to end.
    private static let runs = "COALESCE(ended, 0) = 0"

    public func insertAttempts(_ ids: [AttemptID], session: Session, now: Timestamp) throws {
        try db.later(
            """
            INSERT INTO attempts (job_id, element_id, number, session_id, worker, started)
            VALUES ($1, $2, $3, $4, $5, $6)
            """,
            batch: ids.map { id in
                [
                    .int(id.jobID), .int(id.elementID), .int(id.number), .int(session.id), .text(session.worker),
                    .int(now.milliseconds),
                ]
            })
    }

    /// Says which server takes the log and listing of an attempt that runs: only where `from` (nil: none) did before.
    ///
    /// - Returns: false where another does, or the attempt has ended.
    public func setServer(_ server: Int, of id: AttemptID, from: Int?) throws -> Bool {
        try db.run(
            """
            UPDATE attempts SET server_id = $4
            WHERE job_id = $1 AND element_id = $2 AND number = $3 AND \(Self.runs) AND COALESCE(server_id, 0) = $5
            """, [.int(id.jobID), .int(id.elementID), .int(id.number), .int(server), .int(from ?? 0)]) == 1
    }

    /// Keeps the latest progress of an attempt that runs.
    public func setProgress(_ progress: Attempt.Progress, of id: AttemptID) throws {
        try db.run(
            """
            UPDATE attempts SET transferred = $4, elapsed = $5, instant = $6, average = $7
            WHERE job_id = $1 AND element_id = $2 AND number = $3 AND \(Self.runs)
            """,
            [
                .int(id.jobID), .int(id.elementID), .int(id.number), .int(progress.transferred),
                .double(progress.elapsed), .double(progress.instant), .double(progress.average),
            ])
    }

    /// Ends attempts that run, with all that is known of them; each is named once.
    ///
    /// - Parameter ends: with the hash of the report, nil where none ended it; where nothing is said of progress, it stays
    ///   what it was.
    public func endAttempts(_ ends: [(attempt: Attempt, report: [UInt8]?)]) throws {
        try db.later(
            """
            UPDATE attempts SET ended = $4, status = $5, class = $6, reason = $7, returncode = $8,
                transferred = COALESCE($9, transferred), elapsed = COALESCE($10, elapsed),
                instant = COALESCE($11, instant), average = COALESCE($12, average), checksum = $13, log_file = $14, log_offset = $15,
                log_length = $16, listing_length = $17, report = $18, worker = $19,
                server_id = $20
            WHERE job_id = $1 AND element_id = $2 AND number = $3 AND \(Self.runs)
            """,
            batch: ends.map { attempt, report in Self.values(attempt, report: report) })
    }

    private static func values(_ attempt: Attempt, report: [UInt8]?) -> [SQLValue] {
        [
            .int(attempt.jobID), .int(attempt.elementID), .int(attempt.number),
            SQLValue(attempt.ended?.milliseconds), SQLValue(attempt.status?.rawValue),
            SQLValue(attempt.errorClass?.rawValue), SQLValue(attempt.reason), SQLValue(attempt.returnCode),
            SQLValue(attempt.progress?.transferred), SQLValue(attempt.progress?.elapsed),
            SQLValue(attempt.progress?.instant), SQLValue(attempt.progress?.average), SQLValue(attempt.checksum),
            SQLValue(attempt.log?.file), SQLValue(attempt.log?.offset), SQLValue(attempt.log?.length),
            SQLValue(attempt.listingLength), report.map(SQLValue.blob) ?? .null, .text(attempt.worker),
            SQLValue(attempt.server),
        ]
    }
}
