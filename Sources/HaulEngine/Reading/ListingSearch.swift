public import HaulModel

/// Looks for words in the paths of a listing, piece by piece as it stands on disk: nothing of it is held.
public struct ListingSearch: Sendable {
    /// An entry whose path holds the words.
    public struct Found: Sendable, Hashable {
        /// The directory's, and the entry's name behind it.
        public var path: String
        public var entry: ListingEntry
    }

    /// Lines that are read at once.
    private static let lines = 1000

    private let engine: Engine
    private let attempt: Attempt
    private let job: Job
    private let words: SoughtWords
    /// Entries that may still be found.
    private var left: Int
    /// Where the next piece begins; nil once there is none.
    private var offset: Int? = 0

    fileprivate init(_ engine: Engine, _ attempt: Attempt, _ job: Job, _ words: SoughtWords, most: Int) {
        (self.engine, self.attempt, self.job, self.words, left) = (engine, attempt, job, words, most)
    }

    /// What the next piece of the listing has of it, maybe nothing; nil at its end, and once as many were found as are wanted.
    ///
    /// - Throws: `.unavailable` where the listing can't be read now; `CancellationError` where nobody waits for it any more:
    ///   who looks for what is not there is written nothing by which that would be seen.
    public mutating func next() async throws -> [Found]? {
        guard let start = offset, left > 0 else { return nil }
        try Task.checkCancellation()
        let piece = try await engine.readListing(of: attempt, job, from: start, limit: Self.lines)
        offset = piece.isEnd ? nil : piece.offset
        var found: [Found] = []
        for line in piece.lines where found.count < left {
            guard let entry = line.entry else { continue }
            let path = Self.path(line.directory, entry)
            if words.stand(in: path) { found.append(Found(path: path, entry: entry)) }
        }
        left -= found.count
        return found
    }

    private static func path(_ directory: String, _ entry: ListingEntry) -> String {
        directory.hasSuffix("/") ? directory + entry.name : "\(directory)/\(entry.name)"
    }
}

extension Engine {
    /// Looks for words in the listing that the latest attempt at an element made.
    ///
    /// - Parameters:
    ///   - words: what the paths have to hold, in whatever case; empty ones stand in all.
    ///   - most: entries that are found at most; nil is all.
    /// - Returns: nil where there is no listing: it is no LIST's, not made yet, or gone.
    /// - Throws: `.unavailable` where that can't be told now.
    public func search(
        listingOf element: Int, _ job: Job, for words: SoughtWords, most: Int? = nil
    ) async throws -> ListingSearch? {
        guard let attempt = try await latestAttempt(ofElement: element, ofJob: job.id), attempt.status == .done,
            try await listingExists(of: attempt, job)
        else { return nil }
        return ListingSearch(self, attempt, job, words, most: most ?? Int.max)
    }
}
