public import HaulModel
public import HaulStore

/// Tokens as operators look for them: what leaked, whose it is, or the id that a list shows.
public enum TokenSelection: Sendable, Hashable {
    /// The token itself.
    case token(String)
    /// As ``AccessToken/list(in:user:)`` shows it.
    case id(Int)
    /// All that a user has, or those of one role.
    case user(String, Role?)
}

/// What became of a token that was to be revoked.
public struct RevokedToken: Sendable, Hashable {
    public var token: KnownToken
    /// Sessions that ended with it; nil where it had been revoked before.
    public var endedSessions: Int?
}

extension AccessToken {
    /// Tokens in one transaction, or in one answer.
    private static let page = 1000

    /// Every token, or a user's, by id.
    public static func list(in store: Store, user name: String? = nil) async throws -> [KnownToken] {
        var tokens: [KnownToken] = []
        while true {
            let after = tokens.last?.record.id ?? 0
            let more = try await store.read { reader -> [KnownToken] in
                guard let name else { return try reader.tokens(after: after, limit: page) }
                guard let user = try reader.user(named: name) else { return [] }
                return try reader.tokens(ofUser: user.id, after: after, limit: page)
            }
            tokens += more
            if more.count < page { return tokens }
        }
    }

    /// Revokes tokens. With each the sessions end that were started with it, in the same transaction: their leases are
    /// worth nothing, and a running server hands out again what they held.
    ///
    /// - Returns: what became of each; nothing where none is meant.
    public static func revoke(
        _ selection: TokenSelection, in store: Store, now: Timestamp
    ) async throws -> [RevokedToken] {
        let meant: [KnownToken]
        switch selection {
        case .token(let token):
            let hash = hash(of: token)
            meant = try await store.read { try $0.knownToken(hash: hash).map { [$0] } ?? [] }
        case .id(let id): meant = try await store.read { try $0.token(id).map { [$0] } ?? [] }
        case .user(let name, let role):
            // What was revoked long ago is not meant again.
            meant = try await list(in: store, user: name).filter {
                $0.revoked == nil && (role == nil || $0.record.role == role)
            }
        }
        return try await store.write { writer in
            try meant.map { token in
                let ended = try writer.revokeToken(token.record.id, now: now)
                if ended != nil {
                    let deed = Deed(.revokeToken, "\(token.record.id)", "user=\(token.record.user.name)")
                    try writer.note(deed, by: .console, now: now)
                }
                return RevokedToken(token: token, endedSessions: ended)
            }
        }
    }
}
