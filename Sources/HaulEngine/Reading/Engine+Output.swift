import HaulLogs
public import HaulModel
import HaulStore

/// What attempts left behind: their rows, and their logs and listings on disk, piece by piece.
extension Engine {
    /// An attempt that ended, and the type of its element.
    public typealias EndedAttempt = (attempt: Attempt, type: JobType)

    public func attempt(_ id: AttemptID) async throws -> Attempt? {
        try await store.read { try $0.attempt(id) }
    }

    /// An element's latest attempt that ended.
    public func latestAttempt(ofElement element: Int, ofJob job: Int) async throws -> Attempt? {
        try await store.read { try $0.latestAttempt(ofElement: element, ofJob: job) }
    }

    /// A page of attempts that ended, by element and number, after one of them.
    ///
    /// - Parameter latestOnly: of each element its last alone.
    public func endedAttempts(
        ofJob job: Int, latestOnly: Bool, after: (element: Int, number: Int), limit: Int
    ) async throws -> [EndedAttempt] {
        try await store.read { try $0.endedAttempts(ofJob: job, latestOnly: latestOnly, after: after, limit: limit) }
    }

    /// Whether each place of a job's logs is on disk, whole.
    public func logsExist(_ places: [Attempt.LogPlace], of job: Job) async -> [Bool] {
        await logs.exists(job.logUID, places)
    }

    /// A piece of a log.
    ///
    /// - Parameters:
    ///   - offset: bytes from the log's start.
    ///   - count: bytes at most.
    public func readLog(
        _ place: Attempt.LogPlace, of job: Job, from offset: Int, count: Int
    ) async throws -> [UInt8] {
        try await logs.read(job.logUID, place, from: offset, count: count)
    }

    public func listingExists(ofAttempt number: Int, element: Int, of job: Job) async -> Bool {
        await logs.listingExists(AttemptKey(logUID: job.logUID, element: element, attempt: number))
    }

    /// Lines of an attempt's listing.
    ///
    /// - Parameters:
    ///   - offset: bytes; 0, or what the piece before said.
    ///   - limit: lines at most.
    /// - Returns: the lines, the offset of the line after them, and whether there is none.
    public func readListing(
        ofAttempt number: Int, element: Int, of job: Job, from offset: Int, limit: Int
    ) async throws -> (lines: [ListingLine], offset: Int, isEnd: Bool) {
        try await logs.listing(AttemptKey(logUID: job.logUID, element: element, attempt: number))
            .next(from: offset, limit: limit)
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
