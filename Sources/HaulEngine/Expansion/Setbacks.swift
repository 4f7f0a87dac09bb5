import HaulLogs
import HaulModel
import HaulStore
import Synchronization

/// Jobs whose turn in a duty failed, each left alone for a while, longer each time: it keeps no other from its turn.
///
/// What is remembered goes with the process, and is bounded; who was forgotten has its turn.
final class Setbacks: Sendable {
    private struct Setback {
        var pause: Double
        var until: Timestamp
    }

    /// Seconds for which a job is left alone at first, and at most.
    static let firstPause = 5.0
    static let longestPause = 60.0
    private static let most = 10_000

    private let setbacks = Mutex<[Int: Setback]>([:])

    /// Those that may have a turn.
    func due(_ jobs: [Int], now: Timestamp) -> [Int] {
        setbacks.withLock { setbacks in
            guard !setbacks.isEmpty else { return jobs }
            return jobs.filter { job in setbacks[job].map { $0.until <= now } ?? true }
        }
    }

    /// A job's turn failed.
    func note(_ job: Int, now: Timestamp) {
        setbacks.withLock { setbacks in
            let pause = setbacks[job].map { min(Self.longestPause, $0.pause * 2) } ?? Self.firstPause
            if setbacks[job] == nil, setbacks.count >= Self.most {
                setbacks = setbacks.filter { $0.value.until > now }
                if setbacks.count >= Self.most { setbacks.removeAll() }
            }
            setbacks[job] = Setback(pause: pause, until: now.adding(seconds: pause))
        }
    }

    /// A job's turn went well.
    func forget(_ job: Int) {
        setbacks.withLock { setbacks in
            if !setbacks.isEmpty { setbacks[job] = nil }
        }
    }

    /// True for what is no fault of the job whose turn it was: the next job would meet the same.
    static func concernsAll(_ error: any Error) -> Bool {
        switch error {
        case StoreError.unavailable, StoreError.fsyncFailed, LogError.full, LogError.fsyncFailed, is CancellationError:
            true
        default: false
        }
    }
}

/// Turns that failed in one round of a duty.
struct FailedTurns: Error, CustomStringConvertible {
    var failures: [(job: Int, cause: any Error)]

    var description: String {
        guard let first = failures.first else { return "nothing failed" }
        let others = failures.count > 1 ? " (and \(failures.count - 1) more)" : ""
        return "job \(first.job)\(others): \(first.cause)"
    }
}
