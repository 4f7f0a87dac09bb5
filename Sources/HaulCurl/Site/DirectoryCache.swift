import Synchronization

/// The directories of a server that are known to be there, so that a thousand files below one ask for it once, and
/// the making of one that is missing is shared by all who need it at the same moment.
public final class DirectoryCache: Sendable {
    private struct State {
        /// Percent-encoded paths: text that compares as its bytes do.
        var known: Set<String> = []
        var making: [String: Task<Void, any Error>] = [:]
    }

    private static let most = 10_000

    private let state = Mutex(State())

    public init() {}

    /// Runs `make` unless the directory is known, or is being made: then waits for that.
    public func ensure(_ location: Location, _ make: @escaping @Sendable () async throws -> Void) async throws {
        let key = location.encoded
        let task: Task<Void, any Error>? = state.withLock { state in
            if state.known.contains(key) { return nil }
            // Not of one element's task: its cancellation must not fail its neighbours.
            let task = state.making[key] ?? Task { try await make() }
            state.making[key] = task
            return task
        }
        guard let task else { return }
        do {
            try await task.value
        } catch {
            state.withLock { $0.making[key] = nil }
            throw error
        }
        state.withLock { state in
            state.making[key] = nil
            if state.known.count >= Self.most { state.known = [] }
            state.known.insert(key)
        }
    }

    /// What was known is not true any more: somebody removed something.
    public func forget() { state.withLock { $0.known = [] } }
}
