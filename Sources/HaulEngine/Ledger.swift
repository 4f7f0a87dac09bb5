import HaulModel
import HaulStore

/// Performs the state machine's decisions inside one transaction and keeps the counts: each element that moves is booked
/// on its job, and ``close()`` writes the jobs with the status that follows.
final class Ledger {
    private let writer: StoreWriter
    private let policy: RetryPolicy
    private let world: World
    let now: Timestamp
    private var states: [Int: JobState] = [:]
    private var offeredBefore: [Int: Int] = [:]
    private var touched: Set<Int> = []
    /// What has to be woken once the transaction is on disk.
    private(set) var change = StoreChange()

    init(_ writer: StoreWriter, engine: Engine) {
        self.writer = writer
        policy = engine.configuration.retry
        world = engine.world
        now = engine.world.now()
    }

    /// What happens to an element, done.
    ///
    /// - Returns: the decision, or nil when the event does not fit any more.
    func apply(_ event: ElementMachine.Event, to element: Element) throws -> ElementMachine.Decision? {
        guard
            let decision = ElementMachine.decide(
                element, event, intent: try state(element.jobID).intent, policy: policy, now: now, chance: world.chance),
            try writer.updateElement(decision.element, from: element.phase)
        else { return nil }
        try book(from: element, to: decision.element)
        return decision
    }

    /// What happens to several elements, each named once, done.
    ///
    /// - Returns: the decisions in order, nil where the event does not fit any more.
    func apply(_ changes: [(event: ElementMachine.Event, element: Element)]) throws -> [ElementMachine.Decision?] {
        var decisions = try changes.map { event, element in
            ElementMachine.decide(
                element, event, intent: try state(element.jobID).intent, policy: policy, now: now, chance: world.chance)
        }
        let places = decisions.indices.filter { decisions[$0] != nil }
        let written = try writer.updateElements(
            places.compactMap { place in decisions[place].map { ($0.element, changes[place].element.phase) } })
        for (place, isWritten) in zip(places, written) {
            if isWritten, let decision = decisions[place] {
                try book(from: changes[place].element, to: decision.element)
            } else {
                decisions[place] = nil
            }
        }
        return decisions
    }

    /// Books elements that an expansion added, of which `ready` can be handed out.
    func add(new: Int, ready: Int, toJob id: Int, expansion: String?) throws {
        var state = try state(id)
        state.job.counts.new += new
        state.open += new
        state.ready += ready
        state.expansion = expansion
        states[id] = state
        touched.insert(id)
        if ready > 0 { change.kinds.insert(.work) }
        if expansion != nil { change.kinds.insert(.expansion) } else { change.kinds.insert(.opening) }
    }

    /// Books an element that an expansion ends with because it can't go on: it has failed without an attempt.
    func endExpansion(with element: Element) throws {
        var state = try state(element.jobID)
        state.job.counts[element.status] += 1
        state.expansion = nil
        states[element.jobID] = state
        touched.insert(element.jobID)
        change.kinds.insert(.opening)
    }

    /// Notes what is wanted of a whole job, in the place of what was wanted before.
    func intend(_ intent: JobIntent, ofJob id: Int) throws {
        var state = try state(id)
        state.intent = intent
        state.swept = -1
        if intent.shuts {
            state.cutExpansion = state.expansion ?? state.cutExpansion
            state.expansion = nil
        } else if let cut = state.cutExpansion {
            state.expansion = cut
            state.cutExpansion = nil
            change.kinds.insert(.expansion)
        }
        states[id] = state
        touched.insert(id)
        change.kinds.insert(.sweep)
    }

    /// Notes how far a job was swept on behalf of its intent; nil is to its end.
    func sweptTo(_ element: Int?, ofJob id: Int) throws {
        var state = try state(id)
        state.swept = element ?? -1
        if element == nil { state.intent = nil }
        states[id] = state
        touched.insert(id)
    }

    /// Writes what a user wants otherwise of a job. Nothing of it may have been applied before.
    func change(_ job: Job) throws {
        var state = try state(job.id)
        state.laneID = try writer.changeJob(state, to: job)
        state.job = job
        states[job.id] = state
        touched.insert(job.id)
        if state.offered > 0 { change.kinds.insert(.work) }
    }

    /// Writes every job that was touched since the last time.
    ///
    /// - Returns: the jobs as they are now, by id.
    @discardableResult
    func close() throws -> [Int: Job] {
        for id in touched {
            guard var state = states[id] else { continue }
            state.job.status = JobMachine.status(
                counts: state.job.counts, open: state.open, isExpanding: state.expansion != nil,
                isCut: state.cutExpansion != nil, intent: state.intent)
            // Once nothing runs or waits, what was wanted is done.
            if state.open == 0, state.expansion == nil, state.intent?.shuts == true { state.intent = nil }
            state.job.changed = now
            try writer.updateJob(state, offeredBefore: offeredBefore[id] ?? 0)
            states[id] = state
            offeredBefore[id] = state.offered
        }
        change.jobs = change.jobs?.union(touched)
        touched.removeAll()
        return states.mapValues(\.job)
    }

    func state(_ id: Int) throws -> JobState {
        if let state = states[id] { return state }
        guard let state = try writer.reader.jobState(id) else { throw StoreError.failed("job \(id) is gone") }
        states[id] = state
        offeredBefore[id] = state.offered
        return state
    }

    private func book(from old: Element, to new: Element) throws {
        var state = try state(new.jobID)
        state.job.counts[old.status] -= 1
        state.job.counts[new.status] += 1
        if old.phase == .ready && new.phase != .ready { state.ready -= 1 }
        if new.phase == .ready && old.phase != .ready {
            state.ready += 1
            change.kinds.insert(.work)
        }
        if new.phase.isEnded && !old.phase.isEnded {
            state.open -= 1
            try end(new, of: state.job)
        }
        if old.phase.isEnded && !new.phase.isEnded {
            state.open += 1
            if state.job.type == .remove, new.type == .remove {
                try writer.addOpen(1, ofJob: new.jobID, depth: new.depth)
                change.kinds.insert(.opening)
            }
        }
        if JobMachine.expands(type: state.job.type, element: new), old.phase != .done {
            let expansion = ExpansionState(attempt: new.attempts).text
            if state.intent?.shuts == true {
                state.cutExpansion = expansion
            } else {
                state.expansion = expansion
                change.kinds.insert(.expansion)
            }
        }
        states[new.jobID] = state
        touched.insert(new.jobID)
    }

    /// A REMOVE counts what has not ended by depth, and keeps the directories in which something failed.
    private func end(_ element: Element, of job: Job) throws {
        guard job.type == .remove, element.type == .remove else { return }
        if element.phase == .failed || element.phase == .cancelled {
            let parent = TransferPath.parent(element.sourcePath)
            try writer.keepDirectory(parent == "/" ? parent : parent + "/", ofJob: job.id)
        }
        if try writer.closeOne(ofJob: job.id, depth: element.depth) == 0 { change.kinds.insert(.opening) }
    }
}

extension Engine {
    /// Elements from which on a transaction has a commit of its own.
    static let large = 50

    /// One transaction over a ledger; what it wakes is woken once it is on disk.
    ///
    /// - Parameter elements: how many it may change.
    func transact<T: Sendable>(
        elements: Int = 1, _ body: @escaping @Sendable (StoreWriter, Ledger) throws -> T
    ) async throws -> T {
        let (result, change) = try await store.write(isLarge: elements >= Self.large) { [self] writer in
            let ledger = Ledger(writer, engine: self)
            let result = try body(writer, ledger)
            try ledger.close()
            writer.tell(ledger.change)
            return (result, ledger.change)
        }
        wake(change)
        return result
    }
}
