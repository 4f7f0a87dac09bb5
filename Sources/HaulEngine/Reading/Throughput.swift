import HaulModel
import Synchronization

/// How fast elements ended of late, by lane and altogether: what an estimate goes by. It is this server's memory: after
/// a restart nothing is known for a while.
final class Throughput: Sendable {
    /// Elements that ended within some seconds.
    struct Rate: Sendable, Hashable {
        var elements: Int
        var seconds: Double

        /// Seconds that so many elements take.
        func seconds(for count: Int) -> Double { Double(count) * seconds / Double(elements) }
    }

    /// Seconds of a bucket, and how many of them are remembered: ten minutes.
    private static let bucket = 10
    private static let buckets = 60
    /// Lanes that are remembered; when there are more, those that were quiet longest are forgotten.
    private static let lanes = 1000

    private struct State {
        /// By lane; elements that ended by the number of their bucket.
        var ended: [Int: [Int: Int]] = [:]
        var all: [Int: Int] = [:]
    }

    private let state = Mutex(State())

    /// Notes elements that ended, by lane.
    func note(_ ended: [Int: Int], now: Timestamp) {
        guard !ended.isEmpty else { return }
        let number = Self.number(now)
        state.withLock { state in
            for (lane, count) in ended {
                Self.add(count, to: &state.ended[lane, default: [:]], number)
                Self.add(count, to: &state.all, number)
            }
            guard state.ended.count > Self.lanes else { return }
            let quiet = state.ended.mapValues { $0.keys.max() ?? 0 }.sorted { $0.value < $1.value }
            for (lane, _) in quiet.prefix(state.ended.count - Self.lanes / 2) { state.ended[lane] = nil }
        }
    }

    /// How fast a lane's elements, or all, ended within the last ten minutes; nil where none did.
    func rate(ofLane lane: Int?, now: Timestamp) -> Rate? {
        let number = Self.number(now)
        let counts = state.withLock { state in lane.map { state.ended[$0] ?? [:] } ?? state.all }
            .filter { $0.key > number - Self.buckets && $0.key <= number }
        guard let first = counts.keys.min(), let last = counts.keys.max() else { return nil }
        return Rate(
            elements: counts.values.reduce(0, +), seconds: Double((last - first + 1) * Self.bucket))
    }

    private static func number(_ now: Timestamp) -> Int { now.milliseconds / (bucket * 1000) }

    private static func add(_ count: Int, to buckets: inout [Int: Int], _ number: Int) {
        buckets[number, default: 0] += count
        // What is too old, and what a clock that was put back leaves in the future.
        if buckets.count > Self.buckets {
            buckets = buckets.filter { $0.key > number - Self.buckets && $0.key <= number }
        }
    }
}
