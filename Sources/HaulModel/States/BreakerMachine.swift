/// The one place where it is decided that a site is down: (breakers, how an attempt ended) -> breakers.
///
///     closed ──N failures in a row──▶ open ──its time is over──▶ one element is let through
///        ▲                              ▲                           │            │
///        └────────── success ───────────┼───────────────────────────┘            │
///                                       └──────────── failure, twice the time ───┘
///
/// A COPY that failed does not say at which of its two sites, unless its report does. It counts against both and against
/// the route between them; only the route's N failures in a row shut anything. If one of the two sites had a success
/// meanwhile, the other is down: that one opens. Otherwise nobody can tell, and the route alone is shut: all else that the
/// two do goes on. A site with which a second route is shut, and nothing went well between, opens itself. So an innocent
/// site stays open as long as anything at it succeeds, and where nothing does, one element is soon tried.
public enum BreakerMachine {
    /// What the end of an attempt says of its sites.
    public enum Outcome: Sendable, Hashable {
        /// They are there.
        case up
        /// One of them is not.
        case down(ErrorClass)
        /// Nothing.
        case silent

        /// - Parameter isSure: the attempt was at one site alone, or its report says at which it failed.
        public init(failed errorClass: ErrorClass, isSure: Bool) {
            if errorClass.saysDown {
                self = .down(errorClass)
            } else {
                self = errorClass.saysUp && isSure ? .up : .silent
            }
        }
    }

    /// What becomes of the breakers when an attempt ends.
    ///
    /// - Parameters:
    ///   - sites: where it acted: one site, or the source and the destination.
    ///   - blamed: the site at which it failed, where its report says that.
    ///   - known: the breakers there are.
    ///   - chance: 0..<1, for the jitter.
    /// - Returns: those that change; nil is gone.
    public static func after(
        _ outcome: Outcome, of attempt: AttemptID, sites: [Int], blamed: Int? = nil,
        known: [Breaker.Key: Breaker], policy: BreakerPolicy, now: Timestamp, chance: Double
    ) -> [Breaker.Key: Breaker?] {
        let keys = Breaker.Key.all(sites)
        let sure = sites.count == 1 ? sites.first : blamed.flatMap { sites.contains($0) ? $0 : nil }
        var next: [Breaker.Key: Breaker?] = [:]
        switch outcome {
        case .up:
            for key in sure.map({ [Breaker.Key($0)] }) ?? keys where known[key] != nil { next[key] = .some(nil) }
        case .silent:
            // A try that says nothing: another one shall, and not at once, should it be the site that eats workers.
            for key in keys {
                guard var breaker = known[key], breaker.probe == attempt else { continue }
                breaker.probe = nil
                breaker.until = now.adding(seconds: policy.delay(trips: 1, chance: chance))
                next[key] = breaker
            }
        case .down(let errorClass):
            let context = Context(
                attempt: attempt, errorClass: errorClass, policy: policy, now: now, chance: chance, known: known)
            if let sure {
                var breaker = context.failed(Breaker.Key(sure))
                if !breaker.isOpen, breaker.failures >= policy.failures { context.open(&breaker) }
                next[breaker.key] = breaker
                // Whatever else tried waits for a next one: this failure is not theirs.
                for key in keys where key.siteID != sure || key.isRoute {
                    guard var other = known[key], other.probe == attempt else { continue }
                    other.probe = nil
                    other.until = now
                    next[key] = other
                }
            } else {
                for breaker in context.failedBetween(sites[0], sites[1]) { next[breaker.key] = breaker }
            }
        }
        return next
    }

    /// A breaker that lets an attempt through to try. Should it never be heard of, the next one may after the longest time.
    public static func probing(
        _ breaker: Breaker, with attempt: AttemptID, policy: BreakerPolicy, now: Timestamp
    ) -> Breaker {
        var next = breaker
        next.probe = attempt
        next.until = now.adding(seconds: policy.maximum)
        next.changed = now
        return next
    }

    /// A failure on its way through the breakers that it concerns.
    private struct Context {
        var attempt: AttemptID
        var errorClass: ErrorClass
        var policy: BreakerPolicy
        var now: Timestamp
        var chance: Double
        var known: [Breaker.Key: Breaker]

        /// A breaker with one failure more; one that this attempt tried is open again, for longer.
        func failed(_ key: Breaker.Key) -> Breaker {
            var breaker = known[key] ?? Breaker(key: key, changed: now)
            if !breaker.isOpen, now.seconds(since: breaker.changed) > policy.memory {
                breaker = Breaker(key: key, changed: now)
            }
            breaker.failures += 1
            breaker.errorClass = errorClass
            breaker.changed = now
            if breaker.isOpen, breaker.probe == attempt { open(&breaker) }
            return breaker
        }

        func open(_ breaker: inout Breaker) {
            breaker.trips += 1
            breaker.opened = breaker.opened ?? now
            breaker.until = now.adding(seconds: policy.delay(trips: breaker.trips, chance: chance))
            breaker.probe = nil
        }

        func failedBetween(_ source: Int, _ destination: Int) -> [Breaker] {
            var ends = [failed(Breaker.Key(source)), failed(Breaker.Key(destination))]
            var route = failed(Breaker.Key(source, to: destination))
            guard !route.isOpen, !ends.contains(where: \.isOpen), route.failures >= policy.failures else {
                return ends + [route]
            }
            // Every failure of the route counted at both ends: who has fewer had a success meanwhile.
            let isAlive = ends.map { $0.failures < route.failures }
            if isAlive[0] != isAlive[1] {
                open(&ends[isAlive[0] ? 1 : 0])
                return ends + [route]
            }
            open(&route)
            for end in ends.indices where !isAlive[end] {
                ends[end].routes += 1
                if ends[end].routes >= 2 { open(&ends[end]) }
            }
            return ends + [route]
        }
    }
}
