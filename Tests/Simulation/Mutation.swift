/// A fault put into the engine, as a change of what its statements say: the simulation has to notice each.
struct Mutation: Sendable, CustomStringConvertible {
    let description: String
    /// Part of a statement, and what stands there instead.
    let find: String
    let replacement: String
    /// It is the whole statement that is replaced, and only while the disk is full: a fault that nothing else shows.
    var whileFull = false
    /// It concerns only transactions in which there was such a statement, once their commit was refused.
    var transaction: String?
    /// The schema itself refuses what it does, before anything else can see it.
    var isRefusedBySchema = false
    /// What is said of it by the one invariant that is there for it; nil where any may see it.
    var said: String?

    func rewrite(_ sql: String, isFull: Bool) -> String {
        guard whileFull else { return sql.replacing(find, with: replacement) }
        return isFull && sql == find ? replacement : sql
    }

    static let all: [Mutation] = [
        Mutation(
            description: "leases never expire", find: "WHERE ended IS NULL AND expires <= $1",
            replacement: "WHERE ended IS NULL AND expires <= $1 - 100000000000"),
        Mutation(
            description: "ended sessions are not rescued", find: "WHERE ended IS NOT NULL AND released IS NULL AND id",
            replacement: "WHERE ended IS NOT NULL AND released IS NULL AND id < 0 AND id"),
        Mutation(
            description: "what waits between tries is forgotten", find: "WHERE phase = 2 AND not_before <= $1",
            replacement: "WHERE phase = 2 AND not_before <= $1 AND job_id < 0"),
        Mutation(
            description: "the same element is handed out again and again",
            find: "UPDATE elements SET phase = $3, size = $4, attempts = $5",
            replacement: "UPDATE elements SET phase = CASE WHEN $3 = 3 THEN 1 ELSE $3 END, size = $4, attempts = $5"),
        Mutation(
            description: "a lane forgets what became ready", find: "UPDATE lanes SET ready = ready + $2",
            replacement: "UPDATE lanes SET ready = MAX(0, ready + $2 - ($2 > 1))"),
        Mutation(
            description: "the fence does not see that an attempt has ended",
            find: "a.worker, a.started, a.ended, a.status", replacement: "a.worker, a.started, NULL, a.status"),
        Mutation(
            description: "depths of a removal are not counted down", find: "UPDATE depths SET open = open - 1",
            replacement: "UPDATE depths SET open = open - 0"),
        Mutation(
            description: "cancels are not swept", find: "SELECT id FROM jobs WHERE intent IS NOT NULL AND id > $1",
            replacement: "SELECT id FROM jobs WHERE intent IS NOT NULL AND id > $1 AND id < 0"),
        Mutation(
            description: "expansions stop after their first piece",
            find: "SELECT id FROM jobs WHERE expansion IS NOT NULL AND id > $1",
            replacement: "SELECT id FROM jobs WHERE expansion IS NOT NULL AND n_new < 3 AND n_done < 2 AND id > $1"),
        Mutation(
            description: "a job miscounts what is done", find: "n_done = $5",
            replacement: "n_done = MAX(n_done, $5 - 1)"),
        Mutation(
            description: "a lost attempt is never ended", find: "SET ended = $4, status = $5, class = $6",
            replacement:
                "SET ended = CASE WHEN $6 = 'lost' THEN NULL ELSE $4 END, status = CASE WHEN $6 = 'lost' THEN NULL ELSE $5 END, class = $6"
        ),
        Mutation(
            description: "a limit is ignored", find: "SELECT elements FROM occupancy WHERE kind",
            replacement: "SELECT elements * 0 FROM occupancy WHERE kind"),
        Mutation(
            description: "what comes back is not counted", find: "SET elements = occupancy.elements + $4",
            replacement: "SET elements = occupancy.elements + MAX($4, 0)"),
        Mutation(
            description: "a job that changes its queue takes what is out with it uncounted",
            find: "UPDATE jobs SET queue_id = $2, lane_id = $3",
            replacement: "UPDATE jobs SET queue_id = COALESCE(queue_id, $2), lane_id = $3"),
        Mutation(
            description: "a breaker that opened never closes", find: "until = excluded.until",
            replacement: "until = excluded.until + 1000000000000"),
        Mutation(
            description: "a commit that a full disk refuses is acknowledged", find: "COMMIT", replacement: "ROLLBACK",
            whileFull: true),
        Mutation(
            description: "what a full disk broke off is kept as far as it came", find: "ROLLBACK",
            replacement: "COMMIT",
            whileFull: true),
        Mutation(
            description: "the end of an attempt that a full disk refused is kept", find: "ROLLBACK",
            replacement: "COMMIT", whileFull: true, transaction: "UPDATE attempts SET ended"),
        Mutation(
            description: "an expansion goes back to its beginning once", find: "expansion = $12",
            replacement: """
                expansion = CASE WHEN json_extract($12, '$.nextElement') = 4 THEN json_set($12, '$.offset', 0) ELSE $12 END
                """, said: "does not follow from the listing"),
        Mutation(
            description: "nobody is woken where a limit leaves room again", find: "+ $4 RETURNING elements",
            replacement: "+ $4 RETURNING elements + 1000", said: "no bell rang"),
        Mutation(
            description: "a job that is not committed waits to be handed out",
            find: "VALUES ($1, $2, $3, $4, 0, $5, $6, '{}'", replacement: "VALUES ($1, $2, $3, $4, 3, $5, $6, '{}'",
            isRefusedBySchema: true),
        Mutation(
            description: "what is committed stands in no lane", find: "SET queue_id = $2, lane_id = $3, type = $4",
            replacement: "SET queue_id = $2, lane_id = NULLIF($3, $3), type = $4", isRefusedBySchema: true),
        Mutation(
            description: "a job that is to be gone goes while some of it runs", find: "forgotten = $19",
            replacement: "forgotten = CASE WHEN $14 = 4 THEN COALESCE($19, $3) ELSE $19 END", isRefusedBySchema: true),
        Mutation(
            description: "nobody counts how long a job takes", find: "must_end = $18",
            replacement: "must_end = NULLIF($18, $18)", said: "takes longer than it may"),
        Mutation(
            description: "the time of destruction passes unseen",
            find: "SELECT destruction, id FROM jobs WHERE destruction IS NOT NULL",
            replacement: "SELECT destruction, id FROM jobs WHERE destruction IS NULL", said: "was to be gone"),
        Mutation(
            description: "what nobody commits goes before its time",
            find: "WHERE sound = 0 AND keep = 0 AND changed < $1",
            replacement: "WHERE sound = 0 AND keep = 0 AND changed < $1 + 86400000", said: "acknowledged and are gone"),
        Mutation(
            description: "tries are not counted", find: "attempts = $5, forgiven = $6",
            replacement: "attempts = $5, forgiven = MAX($6, $5)", isRefusedBySchema: true),
    ]
}
