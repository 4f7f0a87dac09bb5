/// The worker's own intervals, all in seconds; a test runs on shorter ones.
public struct Pace: Sendable {
    /// How long a claim parks at the server.
    public var claimWait: Double = 30
    /// The least time between two reports of one element's progress.
    public var progress: Double = 1
    /// The same while the server says that somebody waits for it.
    public var watchedProgress: Double = 0.2
    /// How often running attempts are looked at, for progress held back and logs to send.
    public var tick: Double = 0.5
    /// From what age of an attempt on its log goes up while it runs.
    public var liveLog: Double = 2
    /// How long before the leases run out all backends are stopped.
    public var leaseMargin: Double = 10
    /// How long any other request may take.
    public var request: Double = 30
    /// How long a worker that ends when it has nothing to do looks for its server at the least: nobody else would end it.
    public var serverless: Double = 900
    /// How long a backend may take to end once it was told to.
    public var ending: Double = 15
    /// What a failed request waits for, at first and at most.
    public var backoff = Backoff()

    public init() {}
}

/// Waits between tries of a request: doubling, with jitter, so that a thousand workers do not come back together.
public struct Backoff: Sendable {
    public var first: Double
    public var maximum: Double
    private var tries = 0

    public init(first: Double = 0.25, maximum: Double = 15) {
        self.first = first
        self.maximum = maximum
    }

    /// Seconds until the next try: between half and all of a bound that doubles each time.
    public mutating func next() -> Double {
        let bound = min(maximum, first * Double(1 << min(tries, 30)))
        tries += 1
        return bound * Double.random(in: 0.5...1)
    }

    public mutating func reset() { tries = 0 }
}
