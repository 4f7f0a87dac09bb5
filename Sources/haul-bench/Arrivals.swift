import Synchronization

/// Which of the bench's jobs have come to a worker, and who waits for that.
final class Arrivals: Sendable {
    private struct State {
        var here: Set<Int> = []
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
        var since: [Int: ContinuousClock.Instant] = [:]
        var isOver = false
    }

    private let state = Mutex(State())

    /// A job came to a worker.
    func came(_ number: Int) {
        let waiter = state.withLock { state in
            state.since[number] = nil
            let waiter = state.waiting.removeValue(forKey: number)
            if waiter == nil { state.here.insert(number) }
            return waiter
        }
        waiter?.resume(returning: true)
    }

    /// Returns once that job has come.
    ///
    /// - Throws: when it won't.
    func wait(for number: Int) async throws {
        let hasCome = await withCheckedContinuation { continuation in
            let answer: Bool? = state.withLock { state in
                if state.here.remove(number) != nil { return true }
                if state.isOver { return false }
                state.waiting[number] = continuation
                state.since[number] = .now
                return nil
            }
            if let answer { continuation.resume(returning: answer) }
        }
        guard hasCome else { throw BenchError(message: "job \(number) of the bench came to none of its workers") }
    }

    /// True when a job has been waited for that long.
    func isOverdue(_ limit: Duration) -> Bool {
        state.withLock { state in state.since.values.contains { ContinuousClock.now - $0 > limit } }
    }

    /// Nothing will come any more: who waits is told.
    func end() {
        let waiters = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for waiter in waiters { waiter.resume(returning: false) }
    }
}
