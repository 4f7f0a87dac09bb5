import Synchronization

/// Wakes who waits for a change of state, to look at it again. One waits at a time.
final class ChangeSignal: Sendable {
    private struct State {
        var nextID = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        /// Fired since the last wait began to look: a wait that was about to begin returns at once.
        var isSet = false
        /// Waits that were over before they had begun.
        var early: Set<Int> = []
    }

    private let state = Mutex(State())

    func fire() {
        let woken = state.withLock { state in
            state.isSet = state.waiting.isEmpty
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in woken { continuation.resume() }
    }

    /// Returns at the next change, after `limit`, or when the task is cancelled.
    func wait(at limit: Duration) async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let timer = Task {
            try? await Task.sleep(for: limit)
            wake(id)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state in
                    if state.early.remove(id) != nil || state.isSet || Task.isCancelled {
                        state.isSet = false
                        return true
                    }
                    state.waiting[id] = continuation
                    return false
                }
                if now { continuation.resume() }
            }
        } onCancel: {
            wake(id)
        }
        timer.cancel()
        await timer.value
        _ = state.withLock { $0.early.remove(id) }
    }

    private func wake(_ id: Int) {
        let waiting = state.withLock { state in
            let waiting = state.waiting.removeValue(forKey: id)
            if waiting == nil { state.early.insert(id) }
            return waiting
        }
        waiting?.resume()
    }
}
