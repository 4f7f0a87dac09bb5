public import HaulModel

// Lists of jobs that users can see: by id, in pages. A list is made of parts that have no job in common, each found by an
// index of its own.
extension StoreReader {
    /// A page of jobs by id, after one of them.
    ///
    /// - Parameters:
    ///   - newestFirst: from the greatest id down: `after` is greater than all of the page.
    ///   - words: with their texts, each of which may be long.
    ///   - most: jobs that are found by when they ended, and put in order then.
    public func jobs(
        _ filter: JobFilter, after: Int, limit: Int, newestFirst: Bool = false, words: Bool = false,
        sorting most: Int = StoreReader.mostSorted
    ) throws -> [Job] {
        let columns = words ? Self.stateColumns : Self.listColumns
        // Pages that go forward begin behind it once it was looked for.
        let bound = try newestFirst || after <= 0 ? lowerBound(of: filter) : nil
        let after = newestFirst ? after : max(after, bound ?? 0)
        let parts = try parts(of: filter, sorting: most)
        var found: [Job] = []
        for part in parts {
            var query = part.query
            query.narrow("j.id \(newestFirst ? "<" : ">") ?", .int(after))
            if newestFirst { query.narrow("j.id > ?", bound.map(SQLValue.int)) }
            let count = query.place(.int(limit))
            found += try db.rows(
                """
                SELECT \(columns) FROM jobs j\(part.index) JOIN queues q ON q.id = j.queue_id WHERE \(query.sql)
                ORDER BY j.id\(newestFirst ? " DESC" : "") LIMIT \(count)
                """, query.values, Self.job)
        }
        if parts.count <= 1 { return found }
        found.sort { newestFirst ? $0.id > $1.id : $0.id < $1.id }
        return Array(found.prefix(limit))
    }

    /// How many jobs there are; no more than `most` are counted.
    public func count(_ filter: JobFilter, most: Int) throws -> Int {
        var all = 0
        let bound = try lowerBound(of: filter)
        for part in try parts(of: filter) where all < most {
            var query = part.query
            query.narrow("j.id > ?", bound.map(SQLValue.int))
            let limit = query.place(.int(most - all))
            all += try count("jobs j\(part.index)\(filter.joined)", query, limit)
        }
        return all
    }

    /// The job that stands after so many others in a list: its id; nil where the list is shorter.
    public func job(_ filter: JobFilter, afterMany: Int, newestFirst: Bool) throws -> Int? {
        let bound = try lowerBound(of: filter)
        let parts = try parts(of: filter)
        let order = newestFirst ? " DESC" : ""
        var found: [Int] = []
        for part in parts {
            var query = part.query
            query.narrow("j.id > ?", bound.map(SQLValue.int))
            let limit = query.place(.int(parts.count == 1 ? 1 : afterMany + 1))
            let offset = query.place(.int(parts.count == 1 ? afterMany : 0))
            found += try db.rows(
                """
                SELECT j.id FROM jobs j\(part.index)\(filter.joined) WHERE \(query.sql)
                ORDER BY j.id\(order) LIMIT \(limit) OFFSET \(offset)
                """, query.values
            ) { $0.int(0) }
        }
        if parts.count == 1 { return found.first }
        found.sort { newestFirst ? $0 > $1 : $0 < $1 }
        return afterMany < found.count ? found[afterMany] : nil
    }

    private func count(_ tables: String, _ query: JobQuery, _ limit: String) throws -> Int {
        try db.first(
            "SELECT COUNT(*) FROM (SELECT 1 FROM \(tables) WHERE \(query.sql) LIMIT \(limit)) AS counted", query.values
        ) { $0.int(0) } ?? 0
    }

    // MARK: Since a time

    /// Milliseconds by which clocks of several servers, or commits that wait, may put jobs out of order.
    private static let disorder = 600_000

    /// A number below the ids of all jobs of a filter that were registered after its time, and not far below: ids grow with
    /// time, all but for a little. Nil where it names no time.
    private func lowerBound(of filter: JobFilter) throws -> Int? {
        guard let time = filter.registeredAfter else { return nil }
        let whose = filter.userID == nil ? "" : "user_id = $2 AND "
        let values = filter.userID.map { [SQLValue.int($0)] } ?? []
        let newest = try db.first(
            "SELECT id FROM jobs WHERE \(whose)id > $1 ORDER BY id DESC LIMIT 1", [.int(0)] + values
        ) { $0.int(0) }
        var (below, above) = (0, newest ?? 0)
        while below < above {
            let middle = below + (above - below) / 2
            let next = try db.first(
                "SELECT id, registered FROM jobs WHERE \(whose)id > $1 ORDER BY id LIMIT 1", [.int(middle)] + values
            ) { (id: $0.int(0), registered: $0.int(1)) }
            if let next, next.registered <= time.milliseconds - Self.disorder {
                below = next.id
            } else {
                above = middle
            }
        }
        return below
    }

    // MARK: Parts

    private struct Part {
        var query: JobQuery
        /// By which index it is found, where a planner would take a worse one.
        var index = ""
    }

    /// Jobs that are found by when they ended, and put in order then: of more, all are gone through in their order.
    public static let mostSorted = 10_000

    private func parts(of filter: JobFilter, sorting most: Int = StoreReader.mostSorted) throws -> [Part] {
        let conditions = JobQuery.conditions(of: filter)
        guard let since = filter.endedSince, conditions.contains(where: { !$0.hasNotEnded }) else {
            return conditions.map { condition in
                let index = condition.index.isEmpty ? filter.indexOfQueue(condition.sql) : condition.index
                return Part(query: JobQuery(filter, where: condition.sql), index: index)
            }
        }
        let byEnd = filter.userID == nil ? " INDEXED BY jobs_all_ended" : " INDEXED BY jobs_ended"
        var ended = JobQuery(filter.userID, endedSince: since)
        let limit = ended.place(.int(most + 1))
        let areFew = try count("jobs j\(byEnd)", ended, limit) <= most
        return conditions.map { condition in
            var part = Part(query: JobQuery(filter, where: condition.sql), index: condition.index)
            if condition.hasNotEnded { return part }
            // The sign keeps a planner from the index: it would put all of them in order for each page.
            part.query.narrow("\(areFew ? "" : "+")j.ended >= ?", .int(since.milliseconds))
            if areFew { part.index = byEnd }
            return part
        }
    }
}

extension JobFilter {
    /// What else a condition is about.
    fileprivate var joined: String { queue == nil ? "" : " JOIN queues q ON q.id = j.queue_id" }

    /// A queue may have few of its user's jobs; of those that are not DONE there are few in all.
    fileprivate func indexOfQueue(_ condition: String) -> String {
        let areFew = condition.contains("j.status <> 1") || status != nil && status != .done
        return queue == nil || userID == nil || areFew ? "" : " INDEXED BY jobs_of_queue"
    }
}

/// What a filter says, as a condition on `jobs j` and `queues q`.
private struct JobQuery {
    private(set) var sql = StoreReader.isVisible
    private(set) var values: [SQLValue] = []

    /// Jobs that ended then or later.
    init(_ user: Int?, endedSince: Timestamp) {
        sql = "1 = 1"
        narrow("j.user_id = ?", user.map(SQLValue.int))
        narrow("j.ended >= ?", .int(endedSince.milliseconds))
    }

    init(_ filter: JobFilter, where condition: String) {
        if !condition.isEmpty { sql += " AND (\(condition))" }
        narrow("j.user_id = ?", filter.userID.map(SQLValue.int))
        narrow("j.status = ?", filter.status.map { .int($0.rawValue) })
        // Said once more, so that the index over them is found.
        if let status = filter.status, status != .done { sql += " AND j.status <> 1" }
        narrow("j.type = ?", filter.type.map { .int($0.rawValue) })
        if let user = filter.userID, let queue = filter.queue {
            let whose = "user_id = \(place(.int(user)))"
            narrow("j.queue_id = (SELECT id FROM queues WHERE \(whose) AND name = ?)", .text(queue))
        } else {
            narrow("q.name = ?", filter.queue.map(SQLValue.text))
        }
        narrow("(j.src_site = ? OR j.dst_site = ?)", filter.siteID.map(SQLValue.int))
        if let place = filter.placeID, place != JobFilter.nowhere {
            narrow("COALESCE(j.dst_site, j.src_site) = ?", .int(place))
        }
        narrow("j.changed >= ?", filter.since.map { .int($0.milliseconds) })
        narrow("j.registered > ?", filter.registeredAfter.map { .int($0.milliseconds) })
        narrow("\(Self.returnCode) = ?", filter.returnCode.map(SQLValue.int))
    }

    /// What an ended job ended with, as ``Ask/outcomes(of:)`` has it.
    private static let returnCode = """
        COALESCE((SELECT a.returncode FROM elements e
            JOIN attempts a ON \(StoreReader.lastAttempt)
            WHERE e.job_id = j.id AND e.id = CASE WHEN j.status = 5 THEN NULL
                WHEN j.n_new + j.n_done + j.n_failed + j.n_submitted + j.n_running + j.n_cancelled = 1 THEN 0
                WHEN j.status = 2 THEN \(StoreReader.culprit("j.id", "j.culprit")) END),
            CASE WHEN j.status = 1 THEN 0 ELSE 1 END)
        """

    /// Adds a condition about a value, which stands in it as `?`; none for nil.
    mutating func narrow(_ condition: String, _ value: SQLValue?) {
        guard let value else { return }
        sql += " AND " + condition.replacing("?", with: place(value))
    }

    /// Adds a value.
    ///
    /// - Returns: its name in a statement.
    mutating func place(_ value: SQLValue) -> String {
        values.append(value)
        return "$\(values.count)"
    }

    /// One of several conditions, of which no job meets two.
    struct Condition {
        var sql: String
        var hasNotEnded = false
        /// By which index it is found, where a planner may take a worse one.
        var index = ""
    }

    /// What a filter says of stages and of a place that is none, each for itself.
    static func conditions(of filter: JobFilter) -> [Condition] {
        let conditions = conditions(ofStages: filter)
        guard filter.placeID == JobFilter.nowhere else { return conditions }
        return conditions.flatMap { condition in
            // What is not known yet, and a TASK.
            [0, Job.Place.nowhere.siteID].map { site in
                var narrowed = condition
                narrowed.sql += (condition.sql.isEmpty ? "" : " AND ") + "COALESCE(j.dst_site, j.src_site) = \(site)"
                return narrowed
            }
        }
    }

    /// What the stages of a filter mean, each for itself; where any will do, those that have not ended apart if it is asked
    /// for when the others did.
    private static func conditions(ofStages filter: JobFilter) -> [Condition] {
        var wantedStages = filter.stages
        // Nothing has a return code before its end.
        if filter.returnCode != nil {
            let ended = Set(JobStage.allCases.filter(\.isEnded))
            wantedStages = wantedStages?.intersection(ended) ?? ended
        }
        guard let stages = wantedStages else {
            guard filter.endedSince != nil else { return [Condition(sql: "")] }
            let running = filter.userID == nil ? [everybodys("")] : meanings.filter(\.hasNotEnded)
            return running + [Condition(sql: "j.ended IS NOT NULL")]
        }
        let wanted = zip(meanings, stagesMeant).filter { stages.contains($0.1) }
        return wanted.flatMap { meaning, stage -> [Condition] in
            if meaning.hasNotEnded { return [filter.userID == nil ? everybodys(meaning.sql + " AND ") : meaning] }
            guard stage == .failed, let failures = filter.failures, failures.count < ErrorClass.allCases.count else {
                return [meaning]
            }
            return failures.map(\.rawValue).sorted().map { name in
                Condition(
                    sql: meaning.sql + " AND COALESCE(j.class, 'unknown') = '\(name)'",
                    index: filter.userID == nil ? "" : " INDEXED BY jobs_failed")
            }
        }
    }

    /// Those of everybody that have not ended.
    private static func everybodys(_ more: String) -> Condition {
        Condition(sql: more + "j.ended IS NULL", hasNotEnded: true, index: " INDEXED BY jobs_not_ended")
    }

    private static let meanings = [
        Condition(sql: "j.status = 0 AND j.status <> 1", hasNotEnded: true),
        Condition(sql: "j.status = 3 AND j.status <> 1 AND j.started IS NULL", hasNotEnded: true),
        Condition(sql: "j.status = 3 AND j.started IS NOT NULL", hasNotEnded: true),
        Condition(sql: "j.status = 4 AND j.status <> 1", hasNotEnded: true), Condition(sql: "j.status = 1"),
        Condition(sql: "j.status = 2 AND j.status <> 1"), Condition(sql: "j.status = 5 AND j.status <> 1"),
    ]
    /// Of each of these, which stage it is.
    private static let stagesMeant: [JobStage] = [
        .uncommitted, .waiting, .executing, .executing, .done, .failed, .cancelled,
    ]
}
