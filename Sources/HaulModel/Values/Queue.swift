/// A user's named line of jobs.
public struct Queue: Sendable, Hashable {
    public var name: String
    /// Since when nothing of it is handed out.
    public var paused: Timestamp?
    /// Elements of it that may be with workers at once; nil is any number.
    public var limit: Int?
    /// No worker gets anything of it: its jobs are handed out by pop alone.
    public var isPopped: Bool
    /// For how long one who popped a job may be silent, in seconds; nil is for ever.
    public var leaseSeconds: Int?

    public init(
        name: String, paused: Timestamp?, limit: Int? = nil, isPopped: Bool = false, leaseSeconds: Int? = nil
    ) {
        self.name = name
        self.paused = paused
        self.limit = limit
        self.isPopped = isPopped
        self.leaseSeconds = leaseSeconds
    }
}
