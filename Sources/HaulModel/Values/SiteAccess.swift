/// Who may name a site in jobs.
public struct SiteAccess: Sendable, Hashable {
    /// The user who made it: theirs to change, and nobody else's but for those who are named here; nil is the operators'.
    public var owner: String?
    /// Names of users; nil and no groups is everybody, or the owner alone.
    public var users: [String]?
    public var groups: [String]?

    public init(owner: String? = nil, users: [String]? = nil, groups: [String]? = nil) {
        self.owner = owner
        self.users = users
        self.groups = groups
    }

    public var isOpenToAll: Bool { owner == nil && users == nil && groups == nil }

    /// Whether a user may show their credentials there: at the operators' sites, and at their own.
    public func trusts(_ user: String) -> Bool { owner == nil || owner == user }

    public func admits(_ user: SiteUser) -> Bool {
        isOpenToAll || user.isOperator || owner == user.name || users?.contains(user.name) == true
            || groups?.contains { user.groups.contains($0) } == true
    }
}

/// Who wants to use a site.
public struct SiteUser: Sendable, Hashable {
    public var name: String
    public var groups: Set<String>
    public var isOperator: Bool

    public init(name: String, groups: Set<String> = [], isOperator: Bool = false) {
        self.name = name
        self.groups = groups
        self.isOperator = isOperator
    }

    /// One for whom every site is open.
    public static let anybody = SiteUser(name: "", isOperator: true)
}
