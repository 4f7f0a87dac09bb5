/// How long an element waits between tries: exponential with full jitter in its upper half.
public struct RetryPolicy: Sendable, Hashable {
    /// Seconds before the second try, at most.
    public var base: Double
    /// Seconds that no wait passes.
    public var maximum: Double
    /// Lost leases without progress that cost no try.
    public var forgivenLosses: Int
    /// Attempts of an element that cost no try because they were made to see whether its site is there again, lost leases
    /// among them: enough for days, and not for ever.
    public var forgivenProbes: Int

    public init(base: Double = 5, maximum: Double = 900, forgivenLosses: Int = 10, forgivenProbes: Int = 1000) {
        self.base = base
        self.maximum = maximum
        self.forgivenLosses = forgivenLosses
        self.forgivenProbes = forgivenProbes
    }

    /// Seconds to wait after `tries` failed tries. `chance` in 0..<1 spreads elements that failed together.
    public func delay(afterTries tries: Int, chance: Double) -> Double {
        let ceiling = min(maximum, base * Double(1 << min(max(tries - 1, 0), 30)))
        return ceiling / 2 + ceiling / 2 * chance
    }
}
