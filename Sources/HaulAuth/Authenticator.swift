import HaulCrypto
public import HaulHTTP
public import HaulStore

/// Finds out who sent a request: `Authorization: Bearer TOKEN`, or the token in `X-Token`.
public struct Authenticator: Sendable {
    private let store: Store

    public init(store: Store) { self.store = store }

    /// The bearer of the request's token, or nil when it has none that is good.
    public func principal(of request: HTTPRequest) async throws -> Principal? {
        guard let token = Self.token(of: request) else { return nil }
        let hash = AccessToken.hash(of: token)
        return try await store.read { try $0.token(hash: hash) }.map(Principal.init)
    }

    /// The token that a request carries, whatever it is worth.
    public static func token(of request: HTTPRequest) -> String? {
        if let token = request.headers["X-Token"], !token.isEmpty { return token }
        guard let header = request.headers["Authorization"] else { return nil }
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1])
    }
}
