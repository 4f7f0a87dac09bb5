public import HaulModel

let elementColumns = """
    job_id, id, type, phase, src_path, dst_path, size, depth, max_tries, attempts, forgiven, not_before, class, reason,
    changed, unwanted, revision, returned
    """

extension Ask {
    /// Elements by their attempts' names, in order; nil for what is not there.
    public static func elements(of attempts: [AttemptID]) -> Question<[Element?]> {
        Question(
            "SELECT \(elementColumns) FROM elements WHERE job_id = $1 AND id = $2",
            batch: attempts.map { [.int($0.jobID), .int($0.elementID)] },
            nothing: [Element?](repeating: nil, count: attempts.count)
        ) { found, number, row in found[number] = try StoreReader.element(row) }
    }
}

extension StoreReader {
    public func element(_ id: Int, ofJob job: Int) throws -> Element? {
        try db.first(
            "SELECT \(elementColumns) FROM elements WHERE job_id = $1 AND id = $2", [.int(job), .int(id)], Self.element)
    }

    /// A page of a job's elements by id, after one of them.
    ///
    /// - Parameter status: the status that users see; nil is every one.
    public func elements(ofJob job: Int, status: Status?, after: Int, limit: Int) throws -> [Element] {
        let condition =
            switch status {
            case nil: ""
            case .new: " AND phase IN (0, 1, 2) AND attempts = 0"
            case .failed: " AND (phase = 6 OR (phase IN (0, 1, 2) AND attempts > 0))"
            case .submitted: " AND phase = 3"
            case .running: " AND phase IN (4, 8)"
            case .done: " AND phase = 5"
            case .cancelled: " AND phase = 7"
            }
        return try db.rows(
            """
            SELECT \(elementColumns) FROM elements WHERE job_id = $1 AND id > $2\(condition) ORDER BY id LIMIT $3
            """, [.int(job), .int(after), .int(limit)], Self.element)
    }

    /// The element that says why a job failed: the last that did so, where that is known (``Job/culprit``).
    public func culprit(ofJob job: Int) throws -> Element? {
        try db.first(
            """
            SELECT \(elementColumns) FROM elements
            WHERE job_id = $1 AND id = \(Self.culprit("CAST($1 AS BIGINT)", "(SELECT culprit FROM jobs WHERE id = $1)"))
            """, [.int(job)], Self.element)
    }

    /// The id of that element, in SQL; one that was tried again, and did not fail again, is none.
    ///
    /// - Parameters:
    ///   - job: the job's id.
    ///   - known: its ``Job/culprit``.
    static func culprit(_ job: String, _ known: String) -> String {
        """
        COALESCE((SELECT c.id FROM elements c WHERE c.job_id = \(job) AND c.id = \(known) AND c.phase = 6),
            (SELECT f.id FROM elements f INDEXED BY elements_failed WHERE f.job_id = \(job) AND f.phase = 6
                ORDER BY f.id DESC LIMIT 1))
        """
    }

    /// The index of a job's elements that wait for somebody who is no worker, by the phase in which they do.
    static let waitingIndexes: KeyValuePairs<Phase, String> = [
        .ready: "elements_ready", .delayed: "elements_between_tries", .held: "elements_held",
        .popped: "elements_popped",
    ]

    /// Elements of jobs that can be handed out: job by job, each job's by id.
    ///
    /// - Parameters:
    ///   - jobs: with how many of each there are.
    ///   - withoutMkdir: leave MKDIR elements to others.
    func readyElements(ofJobs jobs: [(Int, Int)], withoutMkdir: Bool, limit: Int) throws -> [Element] {
        let sql = """
            SELECT \(elementColumns) FROM elements INDEXED BY elements_ready
            WHERE job_id = $1 AND phase = 1\(withoutMkdir ? " AND type <> 4" : "") ORDER BY id LIMIT $2
            """
        var result: [Element] = []
        var rest = jobs[...]
        while !rest.isEmpty, result.count < limit {
            // As many jobs at once as it takes to fill it, by what they have.
            var batch: [[SQLValue]] = []
            var room = limit - result.count
            while room > 0, let (job, ready) = rest.popFirst() {
                batch.append([.int(job), .int(room)])
                room -= ready
            }
            try db.run(sql, batch: batch) { result.append(try Self.element($1)) }
        }
        return Array(result.prefix(limit))
    }

    /// Elements whose wait between tries is over, the longest over first.
    public func dueElements(now: Timestamp, limit: Int) throws -> [Element] {
        try db.rows(
            "SELECT \(elementColumns) FROM elements WHERE phase = 2 AND not_before <= $1 ORDER BY not_before LIMIT $2",
            [.int(now.milliseconds), .int(limit)], Self.element)
    }

    static func element(_ row: any SQLRow) throws -> Element {
        guard let type = JobType(rawValue: row.int(2)), let phase = Phase(rawValue: row.int(3)) else {
            throw StoreError.failed("element \(row.int(0)).\(row.int(1)) has a type or phase that is none")
        }
        var element = Element(
            jobID: row.int(0), id: row.int(1), type: type, phase: phase, sourcePath: row.text(4),
            destinationPath: row.optionalText(5), size: row.int(6), depth: row.int(7), maxTries: row.int(8),
            attempts: row.int(9), forgiven: row.int(10),
            notBefore: row.optionalInt(11).map(Timestamp.init(milliseconds:)),
            errorClass: row.optionalText(12).flatMap(ErrorClass.init), reason: row.optionalText(13),
            changed: Timestamp(milliseconds: row.int(14)))
        element.isUnwanted = row.int(15) == 1
        element.revision = row.int(16)
        element.returned = row.int(17)
        return element
    }
}

extension StoreWriter {
    public func insertElement(_ element: Element) throws { try insertElements([element]) }

    public func insertElements(_ elements: [Element]) throws {
        try db.later(
            """
            INSERT INTO elements (job_id, id, type, phase, src_path, dst_path, size, depth, max_tries, changed, class,
                reason)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
            """,
            batch: elements.map { element in
                [
                    .int(element.jobID), .int(element.id), .int(element.type.rawValue), .int(element.phase.rawValue),
                    .text(element.sourcePath), SQLValue(element.destinationPath), .int(element.size),
                    .int(element.depth), .int(element.maxTries), .int(element.changed.milliseconds),
                    SQLValue(element.errorClass?.rawValue), SQLValue(element.reason),
                ]
            })
    }

    /// Writes what the state machine decided of an element, if it still is what the decision was made on.
    ///
    /// - Returns: false when it is not.
    public func updateElement(_ element: Element, from old: Element) throws -> Bool {
        try updateElements([(element, old)]) == [true]
    }

    /// The same of several, each of which is named once.
    public func updateElements(_ changes: [(element: Element, from: Element)]) throws -> [Bool] {
        try db.run(Self.updateElement, batch: changes.map(Self.values)).map { $0 == 1 }
    }

    /// The same where all of them are to be written, or nothing.
    ///
    /// - Throws: `StoreError.stale` where one is not what it was, at the latest in ``confirm()``.
    public func updateAllElements(_ changes: [(element: Element, from: Element)]) throws {
        try db.laterEach(Self.updateElement, batch: changes.map(Self.values))
    }

    /// Waits until it is known that all elements were what they were taken for. Jobs are
    /// booked after it: counts of what was not there may break a rule of the schema.
    public func confirm() throws { try db.check() }

    private static let updateElement = """
        UPDATE elements SET phase = $3, size = $4, attempts = $5, forgiven = $6, not_before = $7, class = $8,
            reason = $9, changed = $10, max_tries = $12, unwanted = $13, returned = $14, revision = revision + 1
        WHERE job_id = $1 AND id = $2 AND revision = $11
        """

    private static func values(_ element: Element, from old: Element) -> [SQLValue] {
        [
            .int(element.jobID), .int(element.id), .int(element.phase.rawValue), .int(element.size),
            .int(element.attempts), .int(element.forgiven), SQLValue(element.notBefore?.milliseconds),
            SQLValue(element.errorClass?.rawValue), SQLValue(element.reason),
            .int(element.changed.milliseconds), .int(old.revision), .int(element.maxTries),
            .int(element.isUnwanted ? 1 : 0), .int(element.returned),
        ]
    }
}
