import Synchronization

/// Wakes tasks that wait for something to have happened. Nothing waits in a thread.
///
/// A waiter remembers the ring that it has heard: what rings between its look and its wait is not missed.
public final class Bell: Sendable {
    private struct State {
        var rings = 0
        var next = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Waits that have begun and are not parked yet: the timer may be faster.
        var coming: Set<Int> = []
    }

    private let state = Mutex(State())

    public init() {}

    /// How often it rang until now.
    public var rings: Int { state.withLock { $0.rings } }

    /// Wakes all that wait.
    public func ring() {
        let waiters = state.withLock { state in
            state.rings += 1
            defer { state.waiters.removeAll() }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for a ring after `heard`, for at most `seconds`, or until the task is cancelled.
    public func wait(after heard: Int, seconds: Double) async {
        let ticket = state.withLock { state in
            state.next += 1
            state.coming.insert(state.next)
            return state.next
        }
        let timer = Task { [self] in
            // Cancelled as soon as the bell rang.
            if (try? await Task.sleep(for: .seconds(seconds))) != nil { release(ticket) }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.coming.remove(ticket) == nil || state.rings > heard || Task.isCancelled { return true }
                    state.waiters[ticket] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            release(ticket)
        }
        timer.cancel()
    }

    private func release(_ ticket: Int) {
        state.withLock { state in
            state.coming.remove(ticket)
            return state.waiters.removeValue(forKey: ticket)
        }?.resume()
    }
}
