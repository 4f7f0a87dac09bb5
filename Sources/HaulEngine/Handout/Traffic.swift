import HaulModel
import HaulStore

/// Elements that go out to workers and come back in one transaction: counted for the limits, and told to the breakers of
/// their sites.
final class Traffic {
    private let writer: StoreWriter
    private let engine: Engine
    private let now: Timestamp
    private var deltas: [LimitScope: Int] = [:]
    private var queueLimits: [Int: Int] = [:]
    private var breakers: [Breaker.Key: Breaker]?
    private var changed: Set<Breaker.Key> = []
    /// A breaker that was open is closed.
    private var hasLetGo = false

    init(_ writer: StoreWriter, _ engine: Engine, now: Timestamp) {
        self.writer = writer
        self.engine = engine
        self.now = now
    }

    /// Books an element that moved from one phase to another.
    func move(_ old: Element, _ new: Element, of state: JobState) {
        let change = (new.phase.isOut ? 1 : 0) - (old.phase.isOut ? 1 : 0)
        guard change != 0 else { return }
        for use in state.job.uses(by: new.type) { deltas[LimitScope(use), default: 0] += change }
        deltas[LimitScope(.queue, state.queueID), default: 0] += change
        deltas[LimitScope(.user, state.job.userID), default: 0] += change
        queueLimits[state.queueID] = state.queueLimit
    }

    /// Books a job that moved from a queue, whose limit is told, to another, with all of it that is with workers.
    func move(_ count: Int, fromQueue old: Int, limit: Int?, to new: Int) {
        guard count > 0, old != new else { return }
        queueLimits[old] = limit
        deltas[LimitScope(.queue, old), default: 0] -= count
        deltas[LimitScope(.queue, new), default: 0] += count
    }

    /// What an event means once it is known that its attempt tried whether a site is there again.
    func weighed(_ event: ElementMachine.Event, _ element: Element, of job: Job) throws -> ElementMachine.Event {
        guard case .failed(let errorClass, let reason) = event, errorClass.saysDown,
            try keys(element, job).contains(where: { try known()[$0]?.probe == element.nextAttempt })
        else { return event }
        return .probeFailed(errorClass, reason: reason)
    }

    /// Tells the breakers what happened to an element.
    ///
    /// - Parameter blamed: the site at which it failed, where its report says so.
    func note(_ event: ElementMachine.Event, _ element: Element, of job: Job, blamed: Int?) throws {
        // Of what its user does nothing is known of sites.
        if element.phase == .popped { return }
        // While all is well there is nothing to tell but what goes wrong.
        if case .failed = event {} else if try known().isEmpty { return }
        let sites = SiteUse.sites(job.uses(by: element.type))
        // Nobody is to blame that has no part in it.
        let blamed = blamed.flatMap { sites.contains($0) ? $0 : nil }
        let attempt = element.nextAttempt
        let isSure = sites.count == 1 || blamed != nil
        let outcome: BreakerMachine.Outcome
        switch event {
        case .claimed:
            for key in Breaker.Key.all(sites) {
                guard let breaker = try known()[key], breaker.isOpen, !breaker.isShut(at: now) else { continue }
                set(
                    key,
                    BreakerMachine.probing(
                        breaker, with: attempt, policy: engine.configuration.breaker, now: now))
            }
            return
        case .succeeded: outcome = .up
        case .failed(let errorClass, _), .probeFailed(let errorClass, _):
            outcome = .init(failed: errorClass, isSure: isSure)
        case .lost, .givenBack: outcome = .silent
        case .revoked:
            guard element.phase.isOut else { return }
            outcome = .silent
        case .opened, .childFailed, .due, .popped, .progressed, .cancelled, .expired, .retried: return
        }
        try judge(outcome, attempt, sites, blamed: blamed)
    }

    /// Tells the breakers that an attempt moves bytes: what it can be sure of is that its source is there, and, where no
    /// spool lies between, its destination.
    func moves(_ element: Element, of job: Job) throws {
        guard try !known().isEmpty else { return }
        let sites = SiteUse.sites(job.uses(by: element.type))
        let protocols = Set(sites.compactMap { engine.rules.sites[$0]?.protocolName })
        try judge(.up, element.nextAttempt, protocols.count > 1 ? Array(sites.prefix(1)) : sites, blamed: nil)
    }

    private func judge(
        _ outcome: BreakerMachine.Outcome, _ attempt: AttemptID, _ sites: [Int], blamed: Int?
    ) throws {
        let known = try known()
        if case .down = outcome {} else if known.isEmpty { return }
        let next = BreakerMachine.after(
            outcome, of: attempt, sites: sites, blamed: blamed, known: known,
            policy: engine.configuration.breaker, now: now, chance: engine.world.chance)
        for (key, breaker) in next { set(key, breaker) }
    }

    /// Writes all that was booked.
    ///
    /// - Returns: true when there is room now, or a breaker let go, where there was none: claims that are parked may find
    ///   something.
    func close() throws -> Bool {
        var isFreer = false
        var unlimited: [(scope: LimitScope, count: Int)] = []
        for (scope, change) in deltas.sorted(by: { $0.key < $1.key }) where change != 0 {
            guard change < 0, let limit = try limit(of: scope) else {
                unlimited.append((scope, change))
                continue
            }
            let count = try writer.countOccupancy(change, to: scope)
            if count < limit, count - change >= limit { isFreer = true }
        }
        try writer.addOccupancy(unlimited)
        deltas.removeAll()
        for key in changed.sorted() {
            if let breaker = breakers?[key] {
                try writer.putBreaker(breaker)
            } else {
                try writer.removeBreaker(key)
            }
        }
        changed.removeAll()
        defer { hasLetGo = false }
        return isFreer || hasLetGo
    }

    private var limits: UserLimitRules { engine.configuration.limits }

    private func limit(of scope: LimitScope) throws -> Int? {
        switch scope.kind {
        case .siteOut: engine.rules.sites[scope.id]?.limits.out
        case .siteIn: engine.rules.sites[scope.id]?.limits.into
        case .queue: queueLimits[scope.id]
        case .user:
            try limits.others.isEmpty ? limits.usual.running : limits.of(writer.reader.name(ofUser: scope.id)).running
        }
    }

    private func keys(_ element: Element, _ job: Job) -> [Breaker.Key] {
        Breaker.Key.all(SiteUse.sites(job.uses(by: element.type)))
    }

    private func known() throws -> [Breaker.Key: Breaker] {
        if let breakers { return breakers }
        let read = try writer.reader.answer(to: Ask.breakers)
        learn(read)
        return read
    }

    var knowsBreakers: Bool { breakers != nil }

    /// Takes the breakers as they stand.
    func learn(_ known: [Breaker.Key: Breaker]) { breakers = known }

    private func set(_ key: Breaker.Key, _ breaker: Breaker?) {
        if breaker == nil, breakers?[key]?.isOpen == true { hasLetGo = true }
        breakers?[key] = breaker
        changed.insert(key)
    }
}

extension Element {
    /// The attempt that runs, or that would be next.
    fileprivate var nextAttempt: AttemptID { AttemptID(jobID: jobID, elementID: id, number: attempts + 1) }
}
