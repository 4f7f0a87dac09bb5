public import HaulModel

// What stands in a job's way.
extension StoreReader {
    /// A job's lane; nil for a job that is not there.
    public func lane(ofJob job: Int) throws -> Lane? {
        try db.first(
            """
            SELECT \(Self.laneColumns) FROM jobs j JOIN lanes l ON l.id = j.lane_id JOIN users u ON u.id = l.user_id
            JOIN queues q ON q.id = l.queue_id WHERE j.id = $1
            """, [.int(job)], Self.lane)
    }

    /// Since when the queue of a job is paused; nil where it is not.
    public func pause(ofJob job: Int) throws -> Timestamp? {
        try db.first(
            "SELECT q.paused FROM jobs j JOIN queues q ON q.id = j.queue_id WHERE j.id = $1", [.int(job)]
        ) { $0.optionalInt(0).map(Timestamp.init(milliseconds:)) } ?? nil
    }

    /// How many elements of a job are in a phase in which they wait, counted up to `most`.
    public func waiting(ofJob job: Int, in phase: Phase, most: Int) throws -> Int {
        guard let index = Self.waitingIndexes.first(where: { $0.key == phase })?.value else { return 0 }
        return try db.first(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM elements INDEXED BY \(index)
                WHERE job_id = $1 AND phase = \(phase.rawValue) LIMIT $2) AS counted
            """, [.int(job), .int(most)]
        ) { $0.int(0) } ?? 0
    }

    /// The element of a job that waits between two tries and is due first, among the first `scanned` of them.
    public func nextDue(ofJob job: Int, scanned: Int) throws -> Element? {
        try db.rows(
            """
            SELECT \(elementColumns) FROM elements INDEXED BY elements_between_tries
            WHERE job_id = $1 AND phase = 2 LIMIT $2
            """, [.int(job), .int(scanned)], Self.element
        ).min { ($0.notBefore?.milliseconds ?? 0) < ($1.notBefore?.milliseconds ?? 0) }
    }

    /// Elements of a job that can be handed out before one of them, counted up to `most`.
    public func ready(ofJob job: Int, before element: Int, most: Int) throws -> Int {
        try db.first(
            """
            SELECT COUNT(*) FROM (SELECT 1 FROM elements WHERE job_id = $1 AND phase = 1 AND phase < 3 AND id < $2
                LIMIT $3) AS counted
            """, [.int(job), .int(element), .int(most)]
        ) { $0.int(0) } ?? 0
    }

    /// Elements that are handed out before those of a job: of older jobs in its lane, and with them those of all lanes
    /// that go first.
    public func ahead(of lane: Lane, job: Int) throws -> (inLane: Int, all: Int) {
        let lanes =
            try db.first(
                "SELECT COALESCE(SUM(ready), 0) FROM lanes WHERE ready > 0 AND priority < $1", [.int(lane.priority)]
            ) { $0.int(0) } ?? 0
        let older =
            try db.first(
                """
                SELECT COALESCE(SUM(n_ready), 0) FROM
                    (SELECT n_ready FROM jobs WHERE lane_id = $1 AND n_ready > 0 AND COALESCE(intent, 3) = 3 AND id < $2
                    ORDER BY id LIMIT 10000) AS older
                """, [.int(lane.id), .int(job)]
            ) { $0.int(0) } ?? 0
        return (older, lanes + older)
    }

    /// Workers that have a session, by name.
    public func liveWorkers(limit: Int) throws -> [KnownWorker] {
        try workers("WHERE s.id IS NOT NULL ORDER BY w.name LIMIT $1", [.int(limit)])
    }
}
