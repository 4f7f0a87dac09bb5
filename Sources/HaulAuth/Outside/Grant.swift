public import HaulModel

/// What the configuration gives to somebody from outside.
public struct Grant: Sendable, Hashable {
    public var role: Role
    /// Narrower than the role; nil is all of it.
    public var scopes: Set<Scope>?
    /// What a worker is restricted to; nil is everything.
    public var sites: [Int]?
    public var queues: [String]?
    public var users: [String]?

    public init(
        role: Role, scopes: Set<Scope>? = nil, sites: [Int]? = nil, queues: [String]? = nil, users: [String]? = nil
    ) {
        self.role = role
        self.scopes = scopes
        self.sites = sites
        self.queues = queues
        self.users = users
    }
}

/// Somebody for whom another speaks: an issuer with a signed token, an authority with a certificate.
///
/// What of the service rests on tokens (a worker's session, the record of changes, the tokens that somebody makes) rests for
/// them on a row that stands for who they are and that nobody holds: it is made when they are first seen, it stays the same
/// when their token or certificate is renewed, and it is revoked like any other.
struct Outsider: Sendable, Hashable {
    /// Whose jobs they are.
    var user: String
    /// Who they are, as whoever speaks for them calls them.
    var identity: String
    var grant: Grant
    /// Until when that was said; nil where it does not end by itself.
    var expires: Timestamp?
    /// What they are a member of, each behind the name of who says so: no issuer makes anybody one of another's groups.
    var groups: Set<String> = []

    /// What their row is found by. It is the hash of no token that can be shown: none begins with a zero byte.
    var hash: [UInt8] { AccessToken.hash(of: "\0\(identity)\0\(user)\0\(grant.role.rawValue)") }

    /// What their row says, and with `expires` and the scopes what they show with a request.
    var spec: TokenSpec {
        var spec = TokenSpec(role: grant.role)
        spec.name = identity
        spec.scopes = grant.scopes
        spec.sites = grant.sites
        spec.queues = grant.queues
        spec.users = grant.users
        spec.expires = expires
        spec.identity = identity
        return spec
    }
}
