/// How attempts at a site, or between two sites, ended lately. There is one only while something is wrong: a success
/// takes it away.
public struct Breaker: Sendable, Hashable {
    /// A site; or, with two, what goes from the one to the other.
    public struct Key: Sendable, Hashable, Comparable {
        public var siteID: Int
        /// -1 for the site alone.
        public var otherID: Int

        public init(_ siteID: Int, to otherID: Int = -1) {
            self.siteID = siteID
            self.otherID = otherID
        }

        public var isRoute: Bool { otherID != -1 }

        public static func < (one: Key, other: Key) -> Bool {
            (one.siteID, one.otherID) < (other.siteID, other.otherID)
        }

        /// All that an attempt at these sites is judged by: each of them, and of two the way between them.
        public static func all(_ sites: [Int]) -> [Key] {
            sites.count == 2 ? [Key(sites[0]), Key(sites[1]), Key(sites[0], to: sites[1])] : sites.map { Key($0) }
        }
    }

    public var key: Key
    /// Attempts that ended as if the site were down, with no success between them.
    public var failures = 0
    /// Of a site: routes with it that were shut, with no success at the site between them.
    public var routes = 0
    /// How often it opened with no success between; 0 while it is closed.
    public var trips = 0
    /// Since when it is open; nil while it is closed.
    public var opened: Timestamp?
    /// Nothing is handed out before; then one element, to try.
    public var until: Timestamp?
    /// How the last of the failures ended.
    public var errorClass: ErrorClass?
    /// The attempt that tries whether the site is there again.
    public var probe: AttemptID?
    public var changed: Timestamp

    public init(key: Key, changed: Timestamp) {
        self.key = key
        self.changed = changed
    }

    public var isOpen: Bool { opened != nil }

    /// True while nothing at all may be handed out.
    public func isShut(at now: Timestamp) -> Bool { until.map { now < $0 } ?? false }
}

/// When a breaker opens, and for how long.
public struct BreakerPolicy: Sendable, Hashable {
    /// Attempts in a row that have to fail.
    public var failures: Int
    /// Seconds for which it is open at first, at most; doubled each time that the try at its end fails.
    public var base: Double
    /// Seconds that it is never open longer than.
    public var maximum: Double
    /// Seconds without a failure after which the earlier ones count no more.
    public var memory: Double

    public init(failures: Int = 5, base: Double = 5, maximum: Double = 300, memory: Double = 3600) {
        self.failures = failures
        self.base = base
        self.maximum = maximum
        self.memory = memory
    }

    /// Seconds for which it stays open. `chance` in 0..<1 spreads those that opened together.
    func delay(trips: Int, chance: Double) -> Double {
        RetryPolicy(base: base, maximum: maximum).delay(afterTries: trips, chance: chance)
    }
}
