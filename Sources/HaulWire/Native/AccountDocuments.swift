public import HaulModel

/// A token (`GET /tokens`), and what a login or the making of one answers.
public struct TokenDocument: Sendable, Hashable, Codable {
    public var id: Int
    /// The token itself: only where it was just made.
    public var token: String?
    public var user: String
    public var role: String
    /// What its maker calls it; may be empty.
    public var name: String
    /// Of one that nobody holds: whom it stands for, as their issuer or authority calls them.
    public var identity: String?
    /// What it lets do, in alphabetical order.
    public var scopes: [String]
    /// What a worker's token is restricted to; left out where it is not.
    public var sites: [Int]?
    public var queues: [String]?
    public var users: [String]?
    /// UTC, milliseconds, `Z`.
    public var made: String
    /// When it ends; left out where it does not.
    public var expires: String?
    /// Since when it is worth nothing.
    public var revoked: String?

    public init(_ known: KnownToken, token: String? = nil) {
        let spec = known.record.spec
        id = known.record.id
        self.token = token
        user = known.record.user.name
        role = spec.role.rawValue
        name = spec.name
        identity = spec.identity
        scopes = known.record.scopes.map(\.rawValue).sorted()
        sites = spec.sites
        queues = spec.queues
        users = spec.users
        made = known.made.text
        expires = spec.expires?.text
        revoked = known.revoked?.text
    }
}

/// Who is asking (`GET /whoami`).
public struct WhoDocument: Sendable, Hashable, Codable {
    public var user: String
    public var role: String
    public var scopes: [String]
    /// The id of the token that was shown; left out where it was a name and a password.
    public var token: Int?
    /// When that token ends; left out where it does not.
    public var expires: String?

    public init(user: User, role: Role, scopes: Set<Scope>, token: TokenRecord?) {
        self.user = user.name
        self.role = role.rawValue
        self.scopes = scopes.map(\.rawValue).sorted()
        self.token = token?.id
        expires = token?.spec.expires?.text
    }
}

/// A user (`GET /users`).
public struct AccountDocument: Sendable, Hashable, Codable {
    public var name: String
    /// What their logins are.
    public var role: String
    /// Whether they have one.
    public var password: Bool
    /// UTC, milliseconds, `Z`.
    public var registered: String
    /// Since when nobody gets in under the name; left out where they do.
    public var disabled: String?
    /// What they are a member of; left out where that is nothing.
    public var groups: [String]?

    public init(_ account: Account) {
        name = account.user.name
        role = account.role.rawValue
        password = account.password != nil
        registered = account.registered.text
        disabled = account.disabled?.text
        groups = account.groups.isEmpty ? nil : account.groups
    }
}

extension TokenDocument: Documented {
    public static let schema = Schema.object(
        "Token",
        [
            "id": .count, "token?": .text.about("The token itself: only where it was just made"), "user": .text,
            "role": .role, "name": .text.about("What its maker calls it"), "scopes": .list(of: .scope),
            "sites?": .list(of: .count), "queues?": .list(of: .text), "users?": .list(of: .text), "made": .time,
            "expires?": .time, "revoked?": .time,
            "identity?": .text.about("Who bears it, as an issuer or an authority says; it can be shown by nobody"),
        ])
}

extension WhoDocument: Documented {
    public static let schema = Schema.object(
        "Who",
        [
            "user": .text, "role": .role, "scopes": .list(of: .scope),
            "token?": .count.about("The id of the token that was shown"), "expires?": .time,
        ])
}

extension AccountDocument: Documented {
    public static let schema = Schema.object(
        "User",
        [
            "name": .text, "role": .role, "password": .flag.about("Whether they have one"), "registered": .time,
            "disabled?": .time.about("Since when nobody gets in under the name"),
            "groups?": Schema.list(of: .text).about("What they are a member of"),
        ])
}

extension Schema {
    public static let role = one(of: Role.allCases.map(\.rawValue))
    public static let scope = one(of: Scope.allCases.map(\.rawValue))
}
