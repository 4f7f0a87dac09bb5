/// Who registers jobs, runs workers or operates the service.
public struct User: Sendable, Hashable {
    public var id: Int
    public var name: String

    public init(id: Int, name: String) {
        self.id = id
        self.name = name
    }
}

/// What a new token is made of.
public struct TokenSpec: Sendable, Hashable {
    public var role: Role
    /// What its maker calls it; may be empty.
    public var name = ""
    /// Narrower than the role; nil is all of it.
    public var scopes: Set<Scope>?
    /// What a worker's token is restricted to; nil is everything.
    public var sites: [Int]?
    public var queues: [String]?
    public var users: [String]?
    /// When it ends; nil is never.
    public var expires: Timestamp?
    /// Whom it stands for, where nobody holds it: who an issuer or an authority says that somebody is.
    public var identity: String?

    public init(role: Role) { self.role = role }
}

/// Who bears a token.
public struct TokenRecord: Sendable, Hashable {
    public var id: Int
    public var user: User
    public var spec: TokenSpec
    /// What its user is a member of.
    public var groups: Set<String> = []

    public init(id: Int, user: User, spec: TokenSpec) {
        self.id = id
        self.user = user
        self.spec = spec
    }

    public var role: Role { spec.role }

    /// What it lets do.
    public var scopes: Set<Scope> { spec.scopes.map(role.scopes.intersection) ?? role.scopes }

    public func isOver(at now: Timestamp) -> Bool { spec.expires.map { $0 <= now } ?? false }
}

/// A token as its owner and operators see it: what it is, never what it is called by.
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
