import Synchronization

/// A number that tasks count up together.
final class Counter: Sendable {
    private let number = Atomic<Int>(0)

    var value: Int { number.load(ordering: .relaxed) }

    /// - Returns: what it was before.
    @discardableResult
    func add(_ count: Int) -> Int { number.wrappingAdd(count, ordering: .relaxed).oldValue }
}

/// Does something many times, by several at once, and keeps how long each took.
struct Meter: Sendable {
    /// Seconds for all.
    var seconds: Double
    /// Seconds each, sorted.
    var each: [Double]

    /// Times a second.
    var rate: Double { Double(each.count) / seconds }

    /// Seconds within which a part (0...1) was done.
    func percentile(_ part: Double) -> Double {
        each.isEmpty ? 0 : each[min(each.count - 1, Int(Double(each.count) * part))]
    }

    static func run(
        count: Int, workers: Int, _ body: @escaping @Sendable (_ number: Int) async throws -> Void
    ) async throws -> Meter {
        let next = Counter()
        let clock = ContinuousClock()
        let start = clock.now
        let each = try await withThrowingTaskGroup { group in
            for _ in 0..<workers {
                group.addTask {
                    var mine: [Double] = []
                    while true {
                        let number = next.add(1)
                        guard number < count else { return mine }
                        let begin = clock.now
                        try await body(number)
                        mine.append((clock.now - begin) / .seconds(1))
                    }
                }
            }
            return try await group.reduce(into: [Double]()) { $0 += $1 }
        }
        return Meter(seconds: (clock.now - start) / .seconds(1), each: each.sorted())
    }
}

/// Takes the time of one thing after the other, by several at once.
final class Stopwatch: Sendable {
    private let each = Mutex<[Double]>([])

    func time<T: Sendable>(_ body: () async throws -> T) async throws -> T {
        let start = ContinuousClock.now
        let result = try await body()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        each.withLock { $0.append(seconds) }
        return result
    }

    /// All of them, in so many seconds together.
    func meter(_ seconds: Double) -> Meter { Meter(seconds: seconds, each: each.withLock { $0.sorted() }) }
}
