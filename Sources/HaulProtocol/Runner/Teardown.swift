/// The ladder that ends a backend which does not answer: asked, SIGTERM, SIGKILL, given up. Pure: time is passed in.
struct Teardown: Sendable {
    enum Rung: Sendable, Equatable {
        case running
        case terminated(since: ContinuousClock.Instant)
        case killed(since: ContinuousClock.Instant)
        /// Even SIGKILL did not end it: a process in an uninterruptible call of a dead file system.
        case abandoned
    }

    enum Action: Sendable, Equatable { case nothing, terminate, kill, abandon }

    private(set) var rung = Rung.running
    let grace: Duration

    var hasBegun: Bool { rung != .running }

    /// The first step down; later calls change nothing.
    mutating func begin(at now: ContinuousClock.Instant) -> Action {
        guard rung == .running else { return .nothing }
        rung = .terminated(since: now)
        return .terminate
    }

    /// The next step, when its time has come.
    mutating func advance(at now: ContinuousClock.Instant) -> Action {
        switch rung {
        case .terminated(let since) where now - since >= grace:
            rung = .killed(since: now)
            return .kill
        case .killed(let since) where now - since >= grace:
            rung = .abandoned
            return .abandon
        default: return .nothing
        }
    }
}
