/// What a user, or a deadline, wants of a job as a whole. It is on disk at once and done in pieces: its elements may be a
/// million. The integers are stored.
public enum JobIntent: Int, Sendable, Hashable, CaseIterable {
    /// Waiting elements are cancelled; running ones are stopped and cancelled.
    case cancel = 1
    /// The same at the job's deadline; they fail with class `deadline`.
    case expire = 2
    /// Failed and cancelled elements wait again, with more tries.
    case retry = 3
    /// It is cancelled, nobody sees it any more, and once nothing of it runs all that there is of it goes.
    case destroy = 4

    /// True when nothing more of the job may be handed out.
    public var shuts: Bool { self != .retry }
}
