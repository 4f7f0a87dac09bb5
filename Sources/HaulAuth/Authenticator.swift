public import HaulHTTP
public import HaulModel
public import HaulStore

/// Finds out who sent a request, for every dialect: see ``Shown``.
public struct Authenticator: Sendable {
    let store: Store
    private let bearers = RecentBearers()
    public let logins: Logins
    public let accounts: Accounts
    private let issuers: Issuers
    private let certificates: [DistinguishedName: CertificateHolder]
    let now: @Sendable () -> Timestamp

    /// - Parameters:
    ///   - issuers: whose tokens are taken besides haul's own.
    ///   - certificates: who is known by the subject of their certificate.
    ///   - onEvent: told what the operator should know about these.
    public init(
        store: Store, issuers: [Issuer] = [], certificates: [DistinguishedName: CertificateHolder] = [:],
        now: @escaping @Sendable () -> Timestamp,
        onEvent: @escaping @Sendable (OutsideEvent) -> Void = { _ in }
    ) {
        self.store = store
        self.now = now
        logins = Logins(store: store, now: now)
        accounts = Accounts(store: store, logins: logins, now: now)
        self.certificates = certificates
        self.issuers = Issuers(issuers, now: now, onEvent: onEvent)
    }

    /// Who shows what this request shows, as the database has them now, or nil where nobody does.
    ///
    /// - Throws: ``LoginRefusal`` other than ``LoginRefusal/wrong`` for a name and password.
    public func principal(of head: HTTPRequestHead) async throws -> Principal? {
        guard let shown = Shown(head) else { return nil }
        let principal = try await principal(showing: shown, from: head.remoteAddress)
        bearers.note(principal, for: shown.key)
        return principal
    }

    private func principal(showing shown: Shown, from address: String) async throws -> Principal? {
        switch shown {
        case .token(let token):
            if !AccessToken.isOne(token) { return try await outsider(bearing: token, from: address) }
            return try await bearer(of: token).map(Principal.init)
        case .certificate(let subject):
            guard let holder = DistinguishedName(subject).flatMap({ certificates[$0] }) else { return nil }
            return try await admit(holder.outsider(subject), from: address).map(Principal.init)
        case .login(let name, let secret):
            if AccessToken.isOne(secret) {
                return try await bearer(of: secret).flatMap { $0.user.name == name ? Principal($0) : nil }
            }
            do {
                return Principal(try await logins.check(name, secret, from: address))
            } catch LoginRefusal.wrong { return nil }
        }
    }

    /// Whom an issuer's token is about; nil for a text that is none, or one that lets nobody in.
    private func outsider(bearing token: String, from address: String) async throws -> Principal? {
        guard JSONWebToken.isOne(token) else { return nil }
        let outsider: Outsider
        do throws(TokenRefusal) { outsider = try await issuers.outsider(bearing: token) } catch { return nil }
        guard var record = try await admit(outsider, from: address) else { return nil }
        record.groups.formUnion(outsider.groups)
        return Principal(record)
    }

    private func bearer(of token: String) async throws -> TokenRecord? {
        let hash = AccessToken.hash(of: token)
        guard let record = try await store.ask({ try $0.token(hash: hash) }), !record.isOver(at: now()) else {
            return nil
        }
        return record
    }

    /// Who was known by what the request shows within the last seconds, or nil; does not wait. It may have been revoked
    /// since: enough to read a request's body, not to do what it asks for.
    public func recentPrincipal(of head: HTTPRequestHead) -> Principal? {
        Shown(head).flatMap { bearers.principal(for: $0.key) }
    }

    /// The token that a request carries, whatever it is worth; of an element, too.
    public static func token(of head: HTTPRequestHead) -> String? {
        guard case .token(let token)? = Shown(head) else { return nil }
        return token
    }
}
