import HaulStore

/// A user's lanes of a priority, read page by page: who finds enough reads no more.
struct LanePages {
    private let reader: StoreReader
    private let user: Int
    private let priority: Int
    private let first: [Lane]
    private let firstTails: [TailJob]

    /// Lanes, or nearly finished jobs, that are read at first.
    private static let page = 100
    /// Those that are read at once after these: there are many.
    private static let furtherPage = 1000
    /// Nearly finished jobs that go before others, at most: whatever nobody can take is not passed by forever.
    static let tails = 1000

    /// - Parameter withTails: nearly finished jobs are to be visited.
    init(_ reader: StoreReader, user: Int, priority: Int, withTails: Bool) throws {
        self.reader = reader
        self.user = user
        self.priority = priority
        let lanes = Ask.lanesWithWork(ofUser: user, priority: priority, limit: Self.page)
        if withTails {
            let tails = Ask.tails(ofUser: user, priority: priority, limit: Self.page)
            (first, firstTails) = try reader.answers(to: lanes, tails)
        } else {
            (first, firstTails) = (try reader.answer(to: lanes), [])
        }
    }

    /// False when no lane fulfils a condition; where there are many, it may not be true of any all the same.
    func mayHave(_ condition: (Lane) -> Bool) -> Bool { first.count == Self.page || first.contains(where: condition) }

    /// Visits the lanes by turn while `body` wants more.
    ///
    /// - Returns: false when it wanted no more.
    func visit(_ body: (Lane) throws -> Bool) throws -> Bool {
        var lanes = first
        var limit = Self.page
        while true {
            for lane in lanes { guard try body(lane) else { return false } }
            guard lanes.count == limit, let last = lanes.last else { return true }
            limit = Self.furtherPage
            lanes = try reader.lanesWithWork(ofUser: user, priority: priority, after: last.place, limit: limit)
        }
    }

    /// Visits the nearly finished jobs of queues that are not paused, the oldest first, while `body` wants more. Those of
    /// a page that are in one lane come together.
    ///
    /// - Returns: false when it wanted no more.
    func visitTails(_ body: (Lane, [TailJob]) throws -> Bool) throws -> Bool {
        var page = firstTails
        for _ in 0..<Self.tails / Self.page {
            let open = page.filter { !$0.isPaused }
            let byLane = Dictionary(grouping: open) { $0.lane.id }
            var visited: Set<Int> = []
            for tail in open where visited.insert(tail.lane.id).inserted {
                guard try body(tail.lane, byLane[tail.lane.id] ?? []) else { return false }
            }
            guard page.count == Self.page, let last = page.last else { return true }
            page = try reader.answer(
                to: Ask.tails(ofUser: user, priority: priority, after: last.id, limit: Self.page))
        }
        return true
    }
}
