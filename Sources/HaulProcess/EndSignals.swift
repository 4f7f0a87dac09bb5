import Foundation
import Synchronization

/// The signals that tell this process to end, as something to await.
///
/// Once this is made they have no effect of their own any more: whoever makes it must end the process when told to. None
/// is lost: before that a signal ends the process as ever. Each counts, the first as well as those behind it.
public final class EndSignals: Sendable {
    private struct State {
        /// Those that came, in order; at most as many as anybody asks for.
        var came: [String] = []
        var waiters: [UUID: (number: Int, continuation: CheckedContinuation<String?, Never>)] = [:]
    }

    private let state = Mutex(State())
    /// More than so many are not told apart.
    private static let most = 16

    /// - Parameter signals: Which ones.
    public init(_ signals: [Int32]) async {
        for number in signals {
            let source = DispatchSource.makeSignalSource(signal: number)
            // A source that is resumed keeps itself: signals are taken until the process ends.
            source.setEventHandler { [self] in
                withExtendedLifetime(source) { came(Self.name(of: number)) }
            }
            // Dispatch sets a handler of its own, some time after the source is resumed. To ignore the signal meanwhile
            // would lose one that comes then.
            await withCheckedContinuation { continuation in
                source.setRegistrationHandler { continuation.resume() }
                source.resume()
            }
        }
    }

    /// Waits until so many signals came, at once where they have come before.
    /// - Parameter number: Counted from 1, at most 16.
    /// - Returns: The name of that signal (`SIGTERM`); nil when the task was cancelled before it came.
    public func next(_ number: Int = 1) async -> String? {
        let number = min(max(1, number), Self.most)
        let ticket = UUID()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: String?? = state.withLock { state in
                    if state.came.count >= number { return .some(state.came[number - 1]) }
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[ticket] = (number, continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.continuation.resume(returning: nil)
        }
    }

    /// Runs `work`, which the first signal cancels.
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
        let woken = state.withLock { state in
            guard state.came.count < Self.most else { return [CheckedContinuation<String?, Never>]() }
            state.came.append(name)
            let due = state.waiters.filter { $0.value.number == state.came.count }
            for ticket in due.keys { state.waiters[ticket] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in woken { continuation.resume(returning: name) }
    }

    private static func name(of number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGHUP: "SIGHUP"
        default: "signal \(number)"
        }
    }
}
