import HaulProtocol
import Synchronization

/// A moment that many wait for together: what comes in until then is worked off in one go.
final class Beat: Sendable {
    static let shared = Beat(every: .milliseconds(3))

    private let length: Duration
    private let waiting = Mutex([CheckedContinuation<Void, Never>]())

    private init(every length: Duration) { self.length = length }

    /// Waits for the next one.
    func next() async {
        await withCheckedContinuation { continuation in
            let isFirst = waiting.withLock { waiting in
                waiting.append(continuation)
                return waiting.count == 1
            }
            guard isFirst else { return }
            Task(executorPreference: EventLoop.shared) { [self] in
                try? await Task.sleep(for: length)
                let all = waiting.withLock { waiting in
                    defer { waiting = [] }
                    return waiting
                }
                all.forEach { $0.resume() }
            }
        }
    }
}
