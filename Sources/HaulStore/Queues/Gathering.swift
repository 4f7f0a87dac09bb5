import Synchronization

/// Writes of one kind that are done together: what comes while the writer is busy is one call of one body, so that the
/// rows of many callers are one statement, one journey to the database and one commit.
public final class Gathering<Item: Sendable, Outcome: Sendable>: Sendable {
    /// Answers an outcome for each item, in order. Those of all callers do the same.
    public typealias Body = @Sendable (StoreWriter, [Item]) throws -> [Outcome]

    /// Items at once. Bounds how long a caller waits for its neighbours.
    private let most: Int
    private let waiting = Mutex<[Caller]>([])

    private struct Caller: Sendable {
        var item: Item
        var body: Body
        var continuation: CheckedContinuation<Outcome, any Error>
    }

    /// Those whose items a body was given.
    private final class Taken: Sendable {
        let callers = Mutex<[Caller]>([])
    }

    public init(most: Int) { self.most = most }

    /// Callers whose items nobody has taken yet, for a test of what comes together.
    var waitingCount: Int { waiting.withLock { $0.count } }

    func perform(_ item: Item, by writes: WriteQueue, _ body: @escaping Body) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            let isFirst = waiting.withLock { callers in
                callers.append(Caller(item: item, body: body, continuation: continuation))
                return callers.count == 1
            }
            if isFirst { Task { await performTogether(writes) } }
        }
    }

    private func performTogether(_ writes: WriteQueue) async {
        let taken = Taken()
        do {
            let outcomes = try await writes.perform(isLarge: false) { [self] writer in
                let callers = take(writes)
                taken.callers.withLock { $0 = callers }
                return try Self.outcomes(of: callers, writer)
            }
            for (caller, outcome) in zip(taken.callers.withLock(\.self), outcomes) {
                caller.continuation.resume(returning: outcome)
            }
        } catch {
            let callers = taken.callers.withLock(\.self)
            guard !callers.isEmpty else {
                // It could not begin. Those who came since are not waited for by anybody else.
                for caller in take(.max) { caller.continuation.resume(throwing: error) }
                return
            }
            await end(callers, failed: error, writes)
        }
    }

    /// Nothing of it was kept. What one of several is guilty of is not the others' failure: each is tried alone, all in one
    /// group of the writer's.
    private func end(_ callers: [Caller], failed error: any Error, _ writes: WriteQueue) async {
        let isOfAll =
            switch error {
            case StoreError.unavailable, StoreError.fsyncFailed: true
            default: callers.count == 1
            }
        if isOfAll {
            for caller in callers { caller.continuation.resume(throwing: error) }
        } else {
            await withTaskGroup { group in
                for caller in callers { group.addTask { await self.performAlone(caller, writes) } }
            }
        }
    }

    private func performAlone(_ caller: Caller, _ writes: WriteQueue) async {
        do {
            let outcomes = try await writes.perform(isLarge: false) { try Self.outcomes(of: [caller], $0) }
            caller.continuation.resume(returning: outcomes[0])
        } catch {
            caller.continuation.resume(throwing: error)
        }
    }

    private static func outcomes(of callers: [Caller], _ writer: StoreWriter) throws -> [Outcome] {
        guard let first = callers.first else { return [] }
        let outcomes = try first.body(writer, callers.map(\.item))
        guard outcomes.count == callers.count else { throw StoreError.failed("an item got no outcome") }
        return outcomes
    }

    /// As many as go together; the rest has the next turn of the writer.
    private func take(_ writes: WriteQueue) -> [Caller] {
        let (callers, hasMore) = waiting.withLock { waiting in
            let callers = Array(waiting.prefix(most))
            waiting.removeFirst(callers.count)
            return (callers, !waiting.isEmpty)
        }
        if hasMore { Task { await performTogether(writes) } }
        return callers
    }

    private func take(_ count: Int) -> [Caller] {
        waiting.withLock { waiting in
            let callers = Array(waiting.prefix(count))
            waiting.removeFirst(callers.count)
            return callers
        }
    }
}
