/// The directories of a server that are known to be there, so that a thousand files below one ask for it once, and
/// the making of one that is missing is shared by all who need it at the same moment.
public actor DirectoryCache {
    private static let most = 10_000

    /// Percent-encoded paths: text that compares as its bytes do.
    private var known: Set<String> = []
    private var making: [String: Task<Void, any Error>] = [:]

    public init() {}

    /// Runs `make` unless the directory is known, or is being made: then waits for that.
    public func ensure(_ location: Location, _ make: @escaping @Sendable () async throws -> Void) async throws {
        let key = location.encoded
        if known.contains(key) { return }
        // Not of one element's task: its cancellation must not fail its neighbours.
        let task = making[key] ?? Task { try await make() }
        making[key] = task
        do {
            try await task.value
        } catch {
            making[key] = nil
            throw error
        }
        making[key] = nil
        if known.count >= Self.most { known = [] }
        known.insert(key)
    }

    /// What was known is not true any more: somebody removed something.
    public func forget() { known = [] }
}
