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
    private var stageBefore: [Int: QueueStage] = [:]
    private var touched: Set<Int> = []
    /// What has to be woken once the transaction is on disk.
    private(set) var change = StoreChange()
    /// Elements that ended after an attempt, by lane.
    private(set) var ended: [Int: Int] = [:]
    private let traffic: Traffic

    init(_ writer: StoreWriter, engine: Engine) {
        self.writer = writer
        policy = engine.configuration.retry
        world = engine.world
        now = engine.world.now()
        traffic = Traffic(writer, engine, now: now)
    }

    /// What happens to an element, done.
    ///
    /// - Parameter blamed: the site at which it failed, where its report says so.
    /// - Returns: the decision, or nil when the event does not fit any more, or the job is gone.
    func apply(
        _ event: ElementMachine.Event, to element: Element, blamed: Int? = nil
    ) throws -> ElementMachine.Decision? {
        guard let state = try known(element.jobID) else { return nil }
        let event = try traffic.weighed(event, element, of: state.job)
        guard
            let decision = ElementMachine.decide(
                element, event, intent: state.intent, policy: policy, now: now, chance: world.chance),
            try writer.updateElement(decision.element, from: element)
        else { return nil }
        try traffic.note(event, element, of: state.job, blamed: blamed)
        try book(from: element, to: decision.element)
        return decision
    }

    /// Notes that a running attempt at an element moves bytes.
    func moves(_ element: Element) throws { try traffic.moves(element, of: try state(element.jobID).job) }

    /// What happens to an element; and the site at which it failed, where its report says so.
    typealias Change = (event: ElementMachine.Event, element: Element, blamed: Int?)

    /// What happens to several elements, each named once, done.
    ///
    /// - Parameter all: they are as they were read, or the transaction ends with `StoreError.stale`.
    /// - Returns: the decisions in order, nil where the event does not fit any more, or the job is gone.
    func apply(_ changes: [Change], all: Bool = false) throws -> [ElementMachine.Decision?] {
        try read(Set(changes.map(\.element.jobID)))
        if all, changes.contains(where: { states[$0.element.jobID] == nil }) { throw StoreError.stale }
        var events = changes.map(\.event)
        var decisions: [ElementMachine.Decision?] = []
        for (place, (event, element, _)) in changes.enumerated() {
            guard let state = states[element.jobID] else {
                decisions.append(nil)
                continue
            }
            events[place] = try traffic.weighed(event, element, of: state.job)
            decisions.append(
                ElementMachine.decide(
                    element, events[place], intent: state.intent, policy: policy, now: now, chance: world.chance))
        }
        let places = decisions.indices.filter { decisions[$0] != nil }
        let decided = places.compactMap { place in decisions[place].map { ($0.element, changes[place].element) } }
        let written: [Bool]
        if all {
            try writer.updateAllElements(decided)
            written = decided.map { _ in true }
        } else {
            written = try writer.updateElements(decided)
        }
        for (place, isWritten) in zip(places, written) {
            if isWritten, let decision = decisions[place] {
                let (_, element, blamed) = changes[place]
                try traffic.note(events[place], element, of: try state(element.jobID).job, blamed: blamed)
                try book(from: element, to: decision.element)
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
        if expansion != nil {
            change.kinds.insert(.expansion)
        } else if state.job.type == .remove {
            change.kinds.insert(.opening)
        }
    }

    /// Books an element that an expansion ends with because it can't go on: it has failed without an attempt.
    func endExpansion(with element: Element) throws {
        var state = try state(element.jobID)
        state.job.counts[element.status] += 1
        (state.job.errorClass, state.job.culprit) = (element.errorClass ?? state.job.errorClass, element.id)
        state.expansion = nil
        states[element.jobID] = state
        touched.insert(element.jobID)
        if state.job.type == .remove { change.kinds.insert(.opening) }
    }

    /// Notes what is wanted of a whole job, in the place of what was wanted before.
    func intend(_ intent: JobIntent, ofJob id: Int) throws {
        var state = try state(id)
        state.intent = intent
        state.swept = -1
        state.place = JobMachine.expansion(state.place, after: intent)
        // As a whole it begins anew.
        if intent == .retry, state.job.status.isEnded {
            (state.job.started, state.job.errorClass, state.job.culprit) = (nil, nil, nil)
        }
        if state.expansion != nil { change.kinds.insert(.expansion) }
        states[id] = state
        touched.insert(id)
        change.kinds.insert(.sweep)
    }

    /// Has a job wait as if none of it had ever been handed out, if none of it is.
    func restart(_ id: Int) throws {
        var state = try state(id)
        guard state.out == 0, state.open > 0 || state.expansion != nil else { return }
        state.job.started = nil
        states[id] = state
        touched.insert(id)
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
        let place = try writer.changeJob(state, to: job)
        if try !isPopped(state) {
            traffic.move(state.out, fromQueue: state.queueID, limit: state.queueLimit, to: place.queue)
        }
        if place.queue != state.queueID { state.queueLimit = try writer.reader.limit(ofQueue: place.queue) }
        (state.laneID, state.queueID) = place
        state.job = job
        states[job.id] = state
        touched.insert(job.id)
        if state.offered > 0 { change.kinds.insert(.work) }
    }

    /// Whether it is all of a job that was popped: no worker has it, and it counts for no limit.
    private func isPopped(_ state: JobState) throws -> Bool {
        guard state.out == 1, state.job.counts.total == 1 else { return false }
        return try writer.reader.element(0, ofJob: state.job.id)?.phase == .popped
    }

    /// Makes a job that is not committed one that can be run.
    func commit(_ job: Job, first: Element) throws {
        var state = try state(job.id)
        let place = try writer.commit(job, first: first)
        (state.laneID, state.queueID) = place
        state.queueLimit = try writer.reader.limit(ofQueue: place.queue)
        state.job = job
        state.job.counts[first.status] += 1
        (state.open, state.ready) = (1, 1)
        states[job.id] = state
        touched.insert(job.id)
        change.kinds.insert(.work)
    }

    /// Ends a job that was to be committed and can't be run.
    func refuse(with element: Element) throws {
        var state = try state(element.jobID)
        try writer.insertElement(element)
        state.job.counts[element.status] += 1
        (state.job.errorClass, state.job.culprit) = (element.errorClass, element.id)
        states[element.jobID] = state
        touched.insert(element.jobID)
    }

    /// Writes what a user wants otherwise of a job that is not committed, or was refused.
    func changeDraft(_ job: Job) throws {
        var state = try state(job.id)
        try writer.changeDraft(job)
        state.job = job
        states[job.id] = state
        touched.insert(job.id)
    }

    /// Writes every job that was touched since the last time.
    ///
    /// - Returns: the jobs as they are now, by id.
    @discardableResult
    func close() throws -> [Int: Job] {
        var changes: [(JobState, offeredBefore: Int)] = []
        var stages: [QueueStage: Int] = [:]
        for id in touched.sorted() {
            guard var state = states[id] else { continue }
            let before = state.job.status
            state.job.status = JobMachine.status(
                counts: state.job.counts, open: state.open, isExpanding: state.expansion != nil,
                isCut: state.cutExpansion != nil, intent: state.intent, before: before)
            if state.job.status.isEnded != before.isEnded { state.job.ended = state.job.status.isEnded ? now : nil }
            if state.job.status == .failed, state.intent == .expire { state.job.errorClass = .deadline }
            if state.intent == .destroy, state.job.status.isEnded { state.forgotten = now }
            state.intent = JobMachine.wanted(
                state.intent, open: state.open, isExpanding: state.expansion != nil)
            state.job.changed = now
            changes.append((state, offeredBefore[id] ?? 0))
            states[id] = state
            offeredBefore[id] = state.offered
            if state.queueStage != stageBefore[id] {
                if let stage = stageBefore[id] { stages[stage, default: 0] -= 1 }
                if let stage = state.queueStage { stages[stage, default: 0] += 1 }
                stageBefore[id] = state.queueStage
            }
        }
        try writer.confirm()
        try writer.updateJobs(changes)
        try writer.countStages(stages)
        change.jobs = change.jobs?.union(touched)
        touched.removeAll()
        if try traffic.close(), try writer.reader.hasWork() { change.kinds.insert(.work) }
        return states.mapValues(\.job)
    }

    /// Nil where there is no such job, any more: one that is removed goes as soon as nothing of it runs.
    func known(_ id: Int) throws -> JobState? {
        if states[id] == nil { try read([id]) }
        return states[id]
    }

    /// Of a job that is there: somebody looked in this transaction.
    func state(_ id: Int) throws -> JobState {
        guard let state = try known(id) else { throw StoreError.failed("job \(id) is gone") }
        return state
    }

    /// Reads those of these jobs that were not read before.
    private func read(_ ids: Set<Int>) throws {
        let unknown = ids.filter { states[$0] == nil }
        let found: [Int: JobState]
        if traffic.knowsBreakers {
            found = try writer.reader.answer(to: Ask.jobStates(unknown))
        } else {
            let breakers: [Breaker.Key: Breaker]
            (found, breakers) = try writer.reader.answers(to: Ask.jobStates(unknown), Ask.breakers)
            traffic.learn(breakers)
        }
        for (id, state) in found {
            states[id] = state
            offeredBefore[id] = state.offered
            stageBefore[id] = state.queueStage
        }
    }

    private func book(from old: Element, to new: Element) throws {
        var state = try state(new.jobID)
        traffic.move(old, new, of: state)
        state.job.counts[old.status] -= 1
        state.job.counts[new.status] += 1
        if new.phase.isOut || new.phase == .popped, state.job.started == nil { state.job.started = now }
        if old.phase == .popped, !new.phase.isEnded { state.job.started = nil }
        if old.phase == .ready && new.phase != .ready { state.ready -= 1 }
        if new.phase == .ready && old.phase != .ready {
            state.ready += 1
            change.kinds.insert(.work)
        }
        if new.phase.isEnded && !old.phase.isEnded {
            state.open -= 1
            // A directory that is not empty because something below it failed tells nothing new.
            let isConsequence = old.phase == .held && new.errorClass == .notEmpty && state.job.culprit != nil
            if new.phase == .failed, !isConsequence {
                (state.job.errorClass, state.job.culprit) = (new.errorClass, new.id)
            }
            if old.phase.isOut { ended[state.laneID, default: 0] += 1 }
            try end(new, of: state.job)
        }
        if old.phase.isEnded && !new.phase.isEnded {
            state.open += 1
            if state.job.culprit == new.id { (state.job.errorClass, state.job.culprit) = (nil, nil) }
            if state.job.type == .remove, new.type == .remove {
                try writer.addOpen(1, ofJob: new.jobID, depth: new.depth)
                change.kinds.insert(.opening)
            }
        }
        if JobMachine.expands(type: state.job.type, element: new, from: old.phase) {
            state.place = JobMachine.expansion(
                state.place, begins: ExpansionState(attempt: new.attempts).text, intent: state.intent)
            if state.expansion != nil { change.kinds.insert(.expansion) }
        }
        states[new.jobID] = state
        touched.insert(new.jobID)
    }

    /// A REMOVE counts what has not ended by depth, and keeps the directories in which something failed.
    private func end(_ element: Element, of job: Job) throws {
        guard job.type == .remove, element.type == .remove else { return }
        if element.phase == .failed || element.phase == .cancelled {
            let parent = TransferPath.parent(element.sourcePath)
            try writer.keepDirectory(KeptDirectory.hash(parent == "/" ? parent : parent + "/"), ofJob: job.id)
        }
        if try writer.closeOne(ofJob: job.id, depth: element.depth) == 0 { change.kinds.insert(.opening) }
    }
}

extension JobState {
    /// Where its expansion stands, as the state machine sees it.
    fileprivate var place: JobMachine.Expansion {
        get { .init(current: expansion, cut: cutExpansion) }
        set { (expansion, cutExpansion) = (newValue.current, newValue.cut) }
    }
}
