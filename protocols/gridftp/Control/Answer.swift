import HaulProtocol
import Synchronization

/// An answer that comes once, to somebody who waits for it or will.
final class Answer<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiter: CheckedContinuation<Value, any Error>?
    }

    private let state: Mutex<State>

    /// - Parameter result: What is known already.
    init(_ result: Result<Value, any Error>? = nil) { state = Mutex(State(result: result)) }

    /// The first counts.
    func resume(_ result: Result<Value, any Error>) {
        let waiter: CheckedContinuation<Value, any Error>? = state.withLock { state in
            guard state.result == nil else { return nil }
            state.result = result
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(with: result)
    }

    /// Waits for it. For one at a time.
    /// - Throws: A `CancellationError` as soon as this task is cancelled, or what it is answered with.
    func value() async throws -> Value {
        if let result = state.withLock({ $0.result }) { return try result.get() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Value, any Error>? = state.withLock { state in
                    if state.result == nil { state.waiter = continuation }
                    return state.result
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            resume(.failure(CancellationError()))
        }
    }
}
