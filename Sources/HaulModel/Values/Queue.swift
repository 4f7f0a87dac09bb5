/// A user's named line of jobs.
public struct Queue: Sendable, Hashable {
    public var name: String
    /// Since when nothing of it is handed out.
    public var paused: Timestamp?
    /// Elements of it that may be with workers at once; nil is any number.
    public var limit: Int?

    public init(name: String, paused: Timestamp?, limit: Int? = nil) {
        self.name = name
        self.paused = paused
        self.limit = limit
    }
}
