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

    public init(user: User, role: Role, password: String?, registered: Timestamp, disabled: Timestamp?) {
        self.user = user
        self.role = role
        self.password = password
        self.registered = registered
        self.disabled = disabled
    }
}

/// What changes of an account; nil stays.
public struct AccountChange: Sendable, Hashable {
    public var role: Role?
    /// Hashed; nil in it takes the password away.
    public var password: String??
    public var isDisabled: Bool?

    public init(role: Role? = nil, password: String?? = nil, isDisabled: Bool? = nil) {
        self.role = role
        self.password = password
        self.isDisabled = isDisabled
    }
}
