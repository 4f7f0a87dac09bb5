public import HaulModel

/// Who is asking, and what they may do.
public struct Principal: Sendable, Hashable {
    public var user: User
    public var role: Role
    public var scopes: Set<Scope>
    /// What they are a member of.
    public var groups: Set<String>
    /// What they showed; nil for a user's name and password.
    public var token: TokenRecord?

    init(_ token: TokenRecord) {
        user = token.user
        role = token.role
        scopes = token.scopes
        groups = token.groups
        self.token = token
    }

    init(_ account: Account) {
        user = account.user
        role = account.role
        scopes = account.role.scopes
        groups = Set(account.groups)
    }

    /// Operators see and change the jobs of everyone.
    public var isOperator: Bool { role == .operator && scopes.contains(.operate) }

    /// Which sites are open to them.
    public var siteUser: SiteUser { SiteUser(name: user.name, groups: groups, isOperator: isOperator) }
}
