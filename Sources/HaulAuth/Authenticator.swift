import HaulCrypto
public import HaulHTTP
public import HaulStore

/// Finds out who sent a request: `Authorization: Bearer TOKEN`, or the token in `X-Token`.
public struct Authenticator: Sendable {
    private let store: Store
    private let bearers = RecentBearers()

    public init(store: Store) { self.store = store }

    /// The bearer of the request's token as the database has it now, or nil when it has none that is good.
    public func principal(of head: HTTPRequestHead) async throws -> Principal? {
        guard let token = Self.token(of: head) else { return nil }
        let hash = AccessToken.hash(of: token)
        let principal = try await store.ask { try $0.token(hash: hash) }.map(Principal.init)
        bearers.note(principal, for: hash)
        return principal
    }

    /// The bearer of a token that was good within the last seconds, or nil; does not wait. It may have been revoked
    /// since: enough to read a request's body, not to do what it asks for.
    public func recentPrincipal(of head: HTTPRequestHead) -> Principal? {
        Self.token(of: head).flatMap { bearers.principal(for: AccessToken.hash(of: $0)) }
    }

    /// The token that a request carries, whatever it is worth.
    public static func token(of head: HTTPRequestHead) -> String? {
        if let token = head.headers["X-Token"], !token.isEmpty { return token }
        guard let header = head.headers["Authorization"] else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}
