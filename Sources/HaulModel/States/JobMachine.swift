/// The one place where a job's status is decided: from the counts of its elements.
public enum JobMachine {
    /// - Parameters:
    ///   - counts: elements by the status that users see.
    ///   - open: elements that have not ended: they wait, are held, or are handed out.
    ///   - isExpanding: its listing is there, but not yet all of the elements that follow from it.
    public static func status(counts: StatusCounts, open: Int, isExpanding: Bool) -> Status {
        if counts.running > 0 { return .running }
        if open > 0 || isExpanding { return .submitted }
        if counts.failed > 0 { return .failed }
        if counts.cancelled > 0 { return .cancelled }
        return .done
    }

    /// What follows when the job's LIST element was done.
    public static func expands(type: JobType, element: Element) -> Bool {
        element.phase == .done && element.type == .list && type != .list
    }
}
