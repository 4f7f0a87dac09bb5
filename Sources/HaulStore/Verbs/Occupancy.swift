public import HaulModel

/// Where the servers' claims stand.
public struct ClaimClock: Sendable {
    /// The virtual clock: what the user who was served last had been given before.
    public var time: Int
    /// The number of this claim, which is higher than that of any before it.
    public var turn: Int
}

extension Ask {
    /// Of a writer: counts a claim. It holds the claims of all servers of this database back until the transaction ends,
    /// so that what it reads of limits stays true.
    public static var nextClaim: Question<ClaimClock?> {
        Question("UPDATE fairness SET turn = turn + 1 WHERE id = 1 RETURNING clock, turn", nothing: nil) {
            $0 = ClaimClock(time: $1.int(0), turn: $1.int(1))
        }
    }
}

// How many elements are with workers, by what limits count them: kept, never counted.
extension StoreReader {
    /// Elements of a scope that are with workers.
    public func occupancy(_ scope: LimitScope) throws -> Int {
        try db.first(
            "SELECT elements FROM occupancy WHERE kind = $1 AND id = $2", [.int(scope.kind.rawValue), .int(scope.id)]
        ) { $0.int(0) } ?? 0
    }

    /// The limit of a queue; nil where it has none.
    public func limit(ofQueue id: Int) throws -> Int? {
        try db.first("SELECT running_limit FROM queues WHERE id = $1", [.int(id)]) { $0.optionalInt(0) } ?? nil
    }
}

extension StoreWriter {
    private static let addOccupancy = """
        INSERT INTO occupancy (kind, id, elements) VALUES ($1, $2, $3)
        ON CONFLICT (kind, id) DO UPDATE SET elements = occupancy.elements + $4
        """

    /// Counts elements that went out to workers, or fewer than 0 that came back.
    public func addOccupancy(_ changes: [(scope: LimitScope, count: Int)]) throws {
        guard !changes.isEmpty else { return }
        try db.later(Self.addOccupancy, batch: changes.map { Self.values($0.count, $0.scope) })
    }

    /// The same, where it matters what comes of it.
    ///
    /// - Returns: how many are with workers now.
    public func countOccupancy(_ count: Int, to scope: LimitScope) throws -> Int {
        try db.first(Self.addOccupancy + " RETURNING elements", Self.values(count, scope)) { $0.int(0) } ?? 0
    }

    private static func values(_ count: Int, _ scope: LimitScope) -> [SQLValue] {
        [.int(scope.kind.rawValue), .int(scope.id), .int(max(0, count)), .int(count)]
    }

    /// Limits how many elements of a user's queue, which is made if it is not there, are with workers at once.
    public func setLimit(_ limit: Int?, queue name: String, ofUser user: Int) throws {
        let id = try shownQueue(name, ofUser: user)
        try db.run("UPDATE queues SET running_limit = $2 WHERE id = $1", [.int(id), SQLValue(limit)])
    }
}
