import HaulModel
import Synchronization

/// How many requests each user has sent of late, in this server: a token bucket a user.
///
/// Of a bucket only the time is kept at which it is full again; one that is full is not kept at all. So it costs a look-up
/// a request, and holds no more than those who came within the last seconds, and of these a bounded number.
final class RequestMeter: Sendable {
    typealias Instant = ContinuousClock.Instant

    private let full = Mutex<[Int: Instant]>([:])
    private let most: Int

    /// - Parameter most: buckets that are kept; where more are in use, all are taken to be full once.
    init(most: Int = 16_384) { self.most = most }

    /// Counts a request of a user.
    ///
    /// - Returns: the seconds to wait where it is one too many, which is not counted; nil where it is not.
    func take(_ user: Int, _ limits: UserLimits, now: Instant = .now) -> Double? {
        guard let rate = limits.requestsPerSecond else { return nil }
        return full.withLock { full in
            let then = max(full[user] ?? now, now)
            if let wait = Self.wait(from: now, fullAt: then, limits, rate) { return wait }
            if full[user] == nil, full.count >= most {
                full = full.filter { $0.value > now }
                if full.count >= most { full.removeAll(keepingCapacity: true) }
            }
            full[user] = then + .seconds(1 / rate)
            return nil
        }
    }

    /// The seconds that a user has to wait before one more; counts nothing.
    func wait(_ user: Int, _ limits: UserLimits, now: Instant = .now) -> Double? {
        guard let rate = limits.requestsPerSecond, let then = full.withLock({ $0[user] }), then > now else {
            return nil
        }
        return Self.wait(from: now, fullAt: then, limits, rate)
    }

    var count: Int { full.withLock(\.count) }

    private static func wait(from now: Instant, fullAt then: Instant, _ limits: UserLimits, _ rate: Double) -> Double? {
        let burst = max(1, limits.burst ?? 2 * rate)
        let short = (then - now + .seconds(1 / rate) - .seconds(burst / rate)) / .seconds(1)
        // Below a nanosecond it is the rounding of durations.
        return short > 1e-9 ? short : nil
    }
}
