public import HaulModel

/// Who is asking, and what they may do.
public struct Principal: Sendable, Hashable {
    public var user: User
    public var role: Role
    public var scopes: Set<Scope>
    /// What they showed; nil for a user's name and password.
    public var token: TokenRecord?

    init(_ token: TokenRecord) {
        user = token.user
        role = token.role
        scopes = token.scopes
        self.token = token
    }

    init(_ account: Account) {
        user = account.user
        role = account.role
        scopes = account.role.scopes
    }

    /// Operators see and change the jobs of everyone.
    public var isOperator: Bool { role == .operator && scopes.contains(.operate) }
}
