import Foundation
import Synchronization

/// Work that is not waited for any longer than its asker wants to, although it cannot be hurried itself.
public enum Abandonable {
    /// The limit has passed.
    public struct Late: Error {}

    /// Runs `work` in a task of its own; returns early, with an error, once this task is cancelled or the time is up.
    /// - Parameter late: Told what came of the work where nobody waited for it any more: to be closed, mostly.
    public static func run<Value: Sendable>(
        limit: Duration? = nil, _ work: @escaping @Sendable () async throws -> Value,
        late: (@Sendable (Value) async -> Void)? = nil
    ) async throws -> Value {
        let box = Box<Value>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                box.set(continuation)
                if Task.isCancelled { box.resume(.failure(CancellationError())) }
                Task {
                    do {
                        let value = try await work()
                        if !box.resume(.success(value)) { await late?(value) }
                    } catch { box.resume(.failure(error)) }
                }
                if let limit {
                    let seconds = Double(limit.components.seconds) + Double(limit.components.attoseconds) / 1e18
                    DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { box.resume(.failure(Late())) }
                }
            }
        } onCancel: {
            box.resume(.failure(CancellationError()))
        }
    }

    private final class Box<Value: Sendable>: Sendable {
        private let waiter = Mutex<CheckedContinuation<Value, any Error>?>(nil)

        func set(_ continuation: CheckedContinuation<Value, any Error>) { waiter.withLock { $0 = continuation } }

        /// The first call counts.
        /// - Returns: Whether this was the one.
        @discardableResult
        func resume(_ result: Result<Value, any Error>) -> Bool {
            let taken = waiter.withLock { waiter in
                defer { waiter = nil }
                return waiter
            }
            taken?.resume(with: result)
            return taken != nil
        }
    }
}
