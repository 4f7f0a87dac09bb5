import HaulLogs
public import HaulModel
import HaulStore

/// What attempts left behind: their rows, and their logs and listings on disk, piece by piece.
extension Engine {
    /// An attempt that ended, and the type of its element.
    public typealias EndedAttempt = (attempt: Attempt, type: JobType)

    public func attempt(_ id: AttemptID) async throws -> Attempt? {
        try await store.ask { try $0.attempt(id) }
    }

    /// An element's latest attempt that ended.
    public func latestAttempt(ofElement element: Int, ofJob job: Int) async throws -> Attempt? {
        try await store.ask { try $0.latestAttempt(ofElement: element, ofJob: job) }
    }

    /// A page of attempts that ended, by element and number, after one of them.
    ///
    /// - Parameter latestOnly: of each element its last alone.
    public func endedAttempts(
        ofJob job: Int, latestOnly: Bool, after: (element: Int, number: Int), limit: Int
    ) async throws -> [EndedAttempt] {
        try await store.ask { try $0.endedAttempts(ofJob: job, latestOnly: latestOnly, after: after, limit: limit) }
    }

    /// Whether the log of each of a job's attempts is there, whole.
    ///
    /// - Throws: `.unavailable` where that can't be told now.
    public func logsExist(_ attempts: [Attempt], of job: Job) async throws -> [Bool] {
        let missing = Attempt.LogPlace(file: "", offset: 0, length: 0)
        // What was popped has none, and misses none.
        let kept = attempts.filter { !$0.isPopped }
        var found = try await logging {
            try await logs.exists(job.logUID, kept.map { ($0.log ?? missing, $0.server) })
        }[...]
        return attempts.map { $0.isPopped || found.popFirst() ?? false }
    }

    /// A piece of an attempt's log; empty where it has none.
    ///
    /// - Parameters:
    ///   - offset: bytes from the log's start.
    ///   - count: bytes at most.
    public func readLog(of attempt: Attempt, _ job: Job, from offset: Int, count: Int) async throws -> [UInt8] {
        guard let place = attempt.log else { return [] }
        return try await logging {
            try await logs.read(job.logUID, place, server: attempt.server, from: offset, count: count)
        }
    }

    /// Whether an attempt's listing is there.
    ///
    /// - Throws: `.unavailable` where that can't be told now.
    public func listingExists(of attempt: Attempt, _ job: Job) async throws -> Bool {
        try await logging { try await logs.listingExists(Self.key(attempt, job), server: attempt.server) }
    }

    /// Lines of an attempt's listing.
    ///
    /// - Parameters:
    ///   - offset: bytes; 0, or what the piece before said.
    ///   - limit: lines at most.
    /// - Returns: the lines, the offset of the line after them, and whether there is none.
    public func readListing(
        of attempt: Attempt, _ job: Job, from offset: Int, limit: Int
    ) async throws -> (lines: [ListingLine], offset: Int, isEnd: Bool) {
        try await logging {
            try await logs.listing(Self.key(attempt, job), server: attempt.server).next(from: offset, limit: limit)
        }
    }

    private static func key(_ attempt: Attempt, _ job: Job) -> AttemptKey {
        AttemptKey(logUID: job.logUID, element: attempt.elementID, attempt: attempt.number)
    }

    /// The listing that a job's expansion reads.
    func expandedListing(of job: Job, _ state: ExpansionState) async throws -> ListingReader {
        let id = AttemptID(jobID: job.id, elementID: 0, number: state.attempt)
        return logs.listing(state.listing(of: job), server: try await attempt(id)?.server)
    }

    /// Bytes of a finished file of a job that this server has, for another server; nil where it has none.
    public func lengthHere(ofFile file: String, job logUID: String) async throws -> Int? {
        try await logging { try await logs.lengthHere(ofFile: file, job: logUID) }
    }

    /// A piece of a finished file of a job that this server has, for another server; nil where it has none.
    public func readHere(_ file: String, job logUID: String, from: Int, count: Int) async throws -> [UInt8]? {
        try await logging { try await logs.readHere(file, job: logUID, from: from, count: count) }
    }
}
