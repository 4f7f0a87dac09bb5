/// How many elements have ended lately, a second.
struct Throughput {
    /// What is counted together: long enough to smooth batches, short enough to follow a change of work.
    static let window = Duration.seconds(1)

    private var began: ContinuousClock.Instant?
    private var count = 0
    private var last: Double?

    mutating func ended(at now: ContinuousClock.Instant) {
        roll(now)
        count += 1
    }

    /// Elements a second; nil until a first stretch of time is over, and after a while without any.
    mutating func rate(at now: ContinuousClock.Instant) -> Double? {
        roll(now)
        return last
    }

    private mutating func roll(_ now: ContinuousClock.Instant) {
        guard let start = began else { return began = now }
        let age = now - start
        guard age >= (last == nil ? Self.window / 10 : Self.window) else { return }
        last = age < Self.window * 3 && count > 0 ? Double(count) / age.seconds : nil
        (began, count) = (now, 0)
    }
}
