/// What a token lets its bearer do.
public enum Role: String, Sendable, Hashable, CaseIterable {
    case user, worker, `operator`
}

/// Who registers jobs, runs workers or operates the service.
public struct User: Sendable, Hashable {
    public var id: Int
    public var name: String

    public init(id: Int, name: String) {
        self.id = id
        self.name = name
    }
}

/// Who bears a token.
public struct TokenRecord: Sendable, Hashable {
    public var id: Int
    public var user: User
    public var role: Role
    /// What a worker's token is restricted to; nil is everything.
    public var sites: [Int]?
    public var queues: [String]?
    public var users: [String]?

    public init(id: Int, user: User, role: Role, sites: [Int]?, queues: [String]?, users: [String]?) {
        self.id = id
        self.user = user
        self.role = role
        self.sites = sites
        self.queues = queues
        self.users = users
    }
}

/// A token as operators see it: what it is, never what it is called by.
public struct KnownToken: Sendable, Hashable {
    public var record: TokenRecord
    public var made: Timestamp
    /// Since when it is worth nothing.
    public var revoked: Timestamp?

    public init(record: TokenRecord, made: Timestamp, revoked: Timestamp?) {
        self.record = record
        self.made = made
        self.revoked = revoked
    }
}
