/// How much of the service one user may take; nil is any amount.
public struct UserLimits: Sendable, Hashable {
    /// Requests that a server answers them, on the long run; those of workers do not count.
    public var requestsPerSecond: Double?
    /// Requests that they may send at once after a pause; nil is what two seconds give.
    public var burst: Double?
    /// Elements of theirs that may wait to be handed out, when more jobs are registered.
    public var waiting: Int?
    /// Elements of theirs that may be with workers at once.
    public var running: Int?
    /// Bytes that they may keep with their jobs, as properties of all of them together.
    public var properties: Int? = 1 << 30
    /// Jobs that one request of theirs registers.
    public var bulk = 10_000

    public init() {}
}

/// The limits of all users.
public struct UserLimitRules: Sendable, Hashable {
    /// Of those who have none of their own.
    public var usual = UserLimits()
    /// By name: of those who have.
    public var others: [String: UserLimits] = [:]

    public init() {}

    public func of(_ user: String) -> UserLimits { others[user] ?? usual }
}
