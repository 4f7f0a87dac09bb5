import Synchronization

/// Who does something under a name, one after the other in the order in which they came. What nobody does has no turns.
final class Turns<Name: Hashable & Sendable>: Sendable {
    private let waiting = Mutex<[Name: [CheckedContinuation<Void, Never>]]>([:])

    /// Runs `body` when its turn has come, which is soon: none of them waits for anything but the database.
    func take<Result>(_ name: Name, _ body: () async throws -> Result) async throws -> Result {
        await withCheckedContinuation { continuation in
            let isFirst = waiting.withLock { waiting in
                guard waiting[name] != nil else {
                    waiting[name] = []
                    return true
                }
                waiting[name]?.append(continuation)
                return false
            }
            if isFirst { continuation.resume() }
        }
        defer { next(name)?.resume() }
        try Task.checkCancellation()
        return try await body()
    }

    private func next(_ name: Name) -> CheckedContinuation<Void, Never>? {
        waiting.withLock { waiting in
            if waiting[name]?.isEmpty == false { return waiting[name]?.removeFirst() }
            waiting[name] = nil
            return nil
        }
    }
}
