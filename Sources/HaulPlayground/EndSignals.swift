import Foundation
import Synchronization

/// SIGTERM, SIGINT and SIGHUP as something to await.
public final class EndSignals: Sendable {
    private struct State {
        var first: String?
        var waiters: [UUID: CheckedContinuation<String?, Never>] = [:]
    }

    private let state = Mutex(State())

    public init() {
        for (number, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGHUP, "SIGHUP")] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            // A source that is resumed keeps itself: signals are taken until the process ends.
            source.setEventHandler { [self] in
                withExtendedLifetime(source) { came(name) }
            }
            source.resume()
        }
    }

    /// The name of the first signal, also where it came before; nil when the task is cancelled before any did.
    public func next() async -> String? {
        let ticket = UUID()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: String?? = state.withLock { state in
                    if let first = state.first { return .some(first) }
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[ticket] = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: nil)
        }
    }

    /// Runs `work`, which a signal cancels.
    /// - Returns: what it returned, and the signal that came meanwhile.
    public func cancelling<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) async -> (Result<Value, any Error>, signal: String?) {
        let task = Task { try await work() }
        let watch = Task {
            let name = await next()
            if name != nil { task.cancel() }
            return name
        }
        let result = await task.result
        watch.cancel()
        return (result, await watch.value)
    }

    private func came(_ name: String) {
        let waiters = state.withLock { state in
            state.first = state.first ?? name
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        waiters.forEach { $0.resume(returning: name) }
    }
}
