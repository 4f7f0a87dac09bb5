/// The one place where a job's status is decided: from the counts of its elements.
public enum JobMachine {
    /// - Parameters:
    ///   - counts: elements by the status that users see.
    ///   - open: elements that have not ended: they wait, are held, or are handed out.
    ///   - isExpanding: its listing is there, but not yet all of the elements that follow from it.
    ///   - isCut: its expansion was cut off by a cancel or the deadline.
    ///   - intent: what is wanted of it, and not done yet.
    ///   - before: what it was until now. One that ended stays as it did: what ended it is not wanted any more.
    public static func status(
        counts: StatusCounts, open: Int, isExpanding: Bool, isCut: Bool = false, intent: JobIntent? = nil,
        before: Status = .submitted
    ) -> Status {
        if counts.running > 0 { return .running }
        // It has no element before it is committed, or refused.
        if before == .new, counts.total == 0 { return intent?.shuts == true ? .cancelled : .new }
        if open > 0 || isExpanding || intent == .retry { return .submitted }
        if before.isEnded { return before }
        let isCancelled = counts.cancelled > 0 || isCut
        if intent == .cancel || intent == .destroy, isCancelled { return .cancelled }
        if counts.failed > 0 || intent == .expire && isCut { return .failed }
        if isCancelled { return .cancelled }
        return .done
    }

    /// Where a job stands in the eyes of the other faces.
    public static func stage(_ status: Status, hasStarted: Bool) -> JobStage {
        switch status {
        case .new: .uncommitted
        case .submitted: hasStarted ? .executing : .waiting
        case .running: .executing
        case .done: .done
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }

    /// When a job has to be cancelled for having taken too long; nil is never.
    public static func mustEnd(_ job: Job) -> Timestamp? {
        guard job.executionSeconds > 0, let started = job.started else { return nil }
        return started.adding(seconds: Double(job.executionSeconds))
    }

    /// The element with which a job ends at once that was committed and can't be run.
    public static func refusal(of job: Job, because problems: FieldProblems, now: Timestamp) -> Element {
        Element(
            jobID: job.id, id: 0, type: job.type.firstElement, phase: .failed, sourcePath: job.source.path,
            maxTries: 1, errorClass: .invalid, reason: problems.sentence, changed: now)
    }

    /// What follows when the job's LIST element was done: by a worker, as who pops a job does all of it.
    public static func expands(type: JobType, element: Element, from phase: Phase) -> Bool {
        phase.isOut && element.phase == .done && element.type == .list && type != .list
    }

    /// Where a job's expansion stands, in the engine's own words.
    public struct Expansion: Sendable, Hashable {
        /// What goes on; nil where there is nothing to expand.
        public var current: String?
        /// What a cancel or the deadline cut off: a retry goes on with it.
        public var cut: String?

        public init(current: String? = nil, cut: String? = nil) {
            self.current = current
            self.cut = cut
        }
    }

    /// What becomes of an expansion when something is wanted of its whole job.
    public static func expansion(_ expansion: Expansion, after intent: JobIntent) -> Expansion {
        if intent.shuts { return Expansion(cut: expansion.current ?? expansion.cut) }
        return Expansion(current: expansion.cut ?? expansion.current)
    }

    /// What becomes of it when the listing has come from which it begins: of a job that is being ended it is cut off
    /// before its beginning.
    public static func expansion(_ expansion: Expansion, begins text: String, intent: JobIntent?) -> Expansion {
        var next = expansion
        if intent?.shuts == true { next.cut = text } else { next.current = text }
        return next
    }

    /// What is still wanted of a job: what ends it is done once nothing of it runs or waits.
    public static func wanted(_ intent: JobIntent?, open: Int, isExpanding: Bool) -> JobIntent? {
        open == 0 && !isExpanding && intent?.shuts == true ? nil : intent
    }
}
