/// A user's named line of jobs.
public struct Queue: Sendable, Hashable {
    public var name: String
    /// Since when nothing of it is handed out.
    public var paused: Timestamp?

    public init(name: String, paused: Timestamp?) {
        self.name = name
        self.paused = paused
    }
}
