/// The one place where a job's status is decided: from the counts of its elements.
public enum JobMachine {
    /// - Parameters:
    ///   - counts: elements by the status that users see.
    ///   - open: elements that have not ended: they wait, are held, or are handed out.
    ///   - isExpanding: its listing is there, but not yet all of the elements that follow from it.
    ///   - isCut: its expansion was cut off by a cancel or the deadline.
    ///   - intent: what is wanted of it, and not done yet.
    public static func status(
        counts: StatusCounts, open: Int, isExpanding: Bool, isCut: Bool = false, intent: JobIntent? = nil
    ) -> Status {
        if counts.running > 0 { return .running }
        if open > 0 || isExpanding || intent == .retry { return .submitted }
        let isCancelled = counts.cancelled > 0 || isCut
        if intent == .cancel && isCancelled { return .cancelled }
        if counts.failed > 0 || intent == .expire && isCut { return .failed }
        if isCancelled { return .cancelled }
        return .done
    }

    /// What follows when the job's LIST element was done.
    public static func expands(type: JobType, element: Element) -> Bool {
        element.phase == .done && element.type == .list && type != .list
    }
}
