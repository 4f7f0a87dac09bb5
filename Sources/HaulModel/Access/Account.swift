/// A user as the service keeps them.
public struct Account: Sendable, Hashable {
    public var user: User
    /// What their logins are.
    public var role: Role
    /// Argon2id's own text, which has its parameters and salt in it; nil: nobody logs in with a password.
    public var password: String?
    public var registered: Timestamp
    /// Since when nobody gets in under the name.
    public var disabled: Timestamp?
    /// What they are a member of: sites can be open to groups.
    public var groups: [String]

    public init(
        user: User, role: Role, password: String?, registered: Timestamp, disabled: Timestamp?, groups: [String] = []
    ) {
        self.user = user
        self.role = role
        self.password = password
        self.registered = registered
        self.disabled = disabled
        self.groups = groups
    }
}

/// What changes of an account; nil stays.
public struct AccountChange: Sendable, Hashable {
    public var role: Role?
    /// Hashed; nil in it takes the password away.
    public var password: String??
    public var isDisabled: Bool?
    public var groups: [String]?

    public init(role: Role? = nil, password: String?? = nil, isDisabled: Bool? = nil, groups: [String]? = nil) {
        self.role = role
        self.password = password
        self.isDisabled = isDisabled
        self.groups = groups
    }
}
