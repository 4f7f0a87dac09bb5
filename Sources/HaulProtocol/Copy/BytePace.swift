import HaulModel
import Synchronization

/// Lets one element's bytes pass at no more than so many a second. Time in which nothing passed is not made up for.
public final class BytePace: Sendable {
    private let rate: Int
    /// Since the pace began: when the next byte may pass.
    private let next = Mutex(Duration.zero)
    private let elapsed: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void

    /// - Parameter rate: Bytes/s.
    public init(rate: Int, clock: any Clock<Duration> = ContinuousClock()) {
        self.rate = max(1, rate)
        (elapsed, sleep) = Self.functions(clock)
    }

    /// The most bytes to let pass at a time: a quarter of a second's, so that slow does not look like standing still.
    public var piece: Int { max(1, rate / 4) }

    /// Returns once so many more bytes may pass.
    public func admit(_ bytes: Int) async throws {
        let now = elapsed()
        let due = next.withLock { next in
            next = max(next, now) + .nanoseconds(Int64(Double(bytes) / Double(rate) * 1e9))
            return next
        }
        if due > now { try await sleep(due - now) }
    }

    private static func functions<C: Clock<Duration>>(
        _ clock: C
    ) -> (@Sendable () -> Duration, @Sendable (Duration) async throws -> Void) {
        let start = clock.now
        return (
            { start.duration(to: clock.now) },
            { try await clock.sleep(until: clock.now.advanced(by: $0), tolerance: nil) }
        )
    }
}
