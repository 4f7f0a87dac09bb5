public import HaulModel

/// Who is asking, and what they may do.
public struct Principal: Sendable, Hashable {
    public var token: TokenRecord

    public var user: User { token.user }
    public var role: Role { token.role }

    /// Operators see and change the jobs of everyone.
    public var isOperator: Bool { role == .operator }
}
