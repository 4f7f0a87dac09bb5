public import HaulModel
import HaulStore

/// What users and operators read of jobs. Each call sees one moment; lists come in pages.
extension Engine {
    public func job(_ id: Int) async throws -> Job? {
        try await store.ask { try $0.job(id) }
    }

    /// A page of jobs by id, after one of them; with `newestFirst` from the greatest id down, with `words` with their
    /// texts.
    public func jobs(
        _ filter: JobFilter, after: Int, limit: Int, newestFirst: Bool = false, words: Bool = false
    ) async throws -> [Job] {
        let look: @Sendable (StoreReader) throws -> [Job] = {
            try $0.jobs(filter, after: after, limit: limit, newestFirst: newestFirst, words: words)
        }
        // What is put together of parts is of one moment: a job that is handed out meanwhile has one place in it.
        let isWhole =
            filter.stages == nil && filter.registeredAfter == nil && filter.endedSince == nil
            && filter.placeID != JobFilter.nowhere && filter.returnCode == nil
        return try await isWhole ? store.ask(look) : store.read(look)
    }

    /// How many jobs there are; no more than `most` are counted.
    public func count(_ filter: JobFilter, most: Int) async throws -> Int {
        try await store.read { try $0.count(filter, most: most) }
    }

    /// The id of the job that stands after so many others in a list; nil where the list is shorter.
    public func job(_ filter: JobFilter, afterMany: Int, newestFirst: Bool) async throws -> Int? {
        try await store.read { try $0.job(filter, afterMany: afterMany, newestFirst: newestFirst) }
    }

    /// What there is to say of jobs besides themselves.
    public struct JobSurroundings: Sendable {
        /// Names of users, by id.
        public var owners: [Int: String]
        /// Who tried the last of a job's elements that was tried, by the job's id.
        public var workers: [Int: String]
        /// Bytes of jobs' properties, by the job's id; without those of jobs that have none.
        public var propertySizes: [Int: Int]

        public init(owners: [Int: String], workers: [Int: String], propertySizes: [Int: Int]) {
            self.owners = owners
            self.workers = workers
            self.propertySizes = propertySizes
        }
    }

    public func surroundings(of jobs: [Job]) async throws -> JobSurroundings {
        let ids = jobs.map(\.id)
        let users = Set(jobs.map(\.userID))
        return try await store.ask { reader in
            let (owners, workers, sizes) = try reader.answers(
                to: Ask.names(ofUsers: users), Ask.workers(ofJobs: ids), Ask.propertySizes(ofJobs: ids))
            return JobSurroundings(owners: owners, workers: workers, propertySizes: sizes)
        }
    }

    public func user(named name: String) async throws -> User? {
        try await store.ask { try $0.user(named: name) }
    }

    /// "" where there is no such user.
    public func name(ofUser id: Int) async throws -> String {
        try await store.ask { try $0.name(ofUser: id) }
    }

    /// The element that says why a job failed.
    public func culprit(ofJob job: Int) async throws -> Element? {
        try await store.ask { try $0.culprit(ofJob: job) }
    }

    public func element(_ id: Int, ofJob job: Int) async throws -> Element? {
        try await store.ask { try $0.element(id, ofJob: job) }
    }

    /// A page of a job's elements by id, after one of them.
    ///
    /// - Parameter status: the status that users see; nil is every one.
    public func elements(ofJob job: Int, status: Status?, after: Int, limit: Int) async throws -> [Element] {
        try await store.ask { try $0.elements(ofJob: job, status: status, after: after, limit: limit) }
    }

    /// What the attempts of a job that run moved so far, all of them together; nil before the first progress.
    public func progress(ofJob job: Int) async throws -> Attempt.Progress? {
        try await store.read { try $0.progress(ofJob: job) }
    }

    /// What the attempt that runs moved so far, else the latest that ended; nil before the first progress.
    public func progress(ofElement element: Int, ofJob job: Int) async throws -> Attempt.Progress? {
        try await store.read { reader in
            try
                (reader.liveAttempt(ofElement: element, ofJob: job)
                ?? reader.latestAttempt(ofElement: element, ofJob: job))?.progress
        }
    }
}
