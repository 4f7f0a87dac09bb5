public import HaulModel
import HaulStore

/// Why nothing became of a wish about users and tokens.
public enum AccountRefusal: Error, Sendable, Hashable {
    case exists(String)
    case noUser(String)
    case noToken(Int)
    /// It stands for who somebody is outside: only operators shut them out.
    case standing(Int)
    /// So many tokens are good at once; one has to be revoked first.
    case tooManyTokens(Int)
}

/// Users and their tokens, as the service's own operators and the users themselves change them.
public struct Accounts: Sendable {
    /// Tokens of one user that are good at once.
    static let mostTokens = 1000
    /// What tokens are called that a login gave: they end with the password.
    static let loginName = "login"
    private static let page = 1000

    let store: Store
    let logins: Logins
    let now: @Sendable () -> Timestamp

    /// A page of users by name, after one of them.
    public func list(after name: String, limit: Int) async throws -> [Account] {
        try await store.ask { try $0.accounts(after: name, limit: limit) }
    }

    public func account(named name: String) async throws -> Account {
        guard let account = try await store.ask({ try $0.account(named: name) }) else {
            throw AccountRefusal.noUser(name)
        }
        return account
    }

    /// Makes a user.
    public func add(_ name: String, role: Role, password: String?, by actor: Requester) async throws -> Account {
        var hash: String?
        if let password { hash = try await logins.hash(password) }
        let (time, stored) = (now(), hash)
        let isNew = try await store.write { writer in
            guard try writer.addAccount(named: name, role: role, password: stored, now: time) else { return false }
            try writer.note(Deed(.addUser, name, "role=\(role.rawValue)"), by: actor, now: time)
            return true
        }
        guard isNew else { throw AccountRefusal.exists(name) }
        return try await account(named: name)
    }

    /// Changes a user. With the role, the name or the password end, in the same transaction, the tokens that rest on
    /// them, and the sessions of workers that rest on those.
    ///
    /// - Parameter password: In clear; nil in it takes it away.
    public func change(
        _ name: String, role: Role? = nil, password: String?? = nil, isDisabled: Bool? = nil, groups: [String]? = nil,
        by actor: Requester
    ) async throws -> Account {
        var change = AccountChange(role: role, isDisabled: isDisabled, groups: groups)
        if let password {
            var hash: String?
            if let password { hash = try await logins.hash(password) }
            change.password = .some(hash)
        }
        let (time, wanted) = (now(), change)
        let account = try await store.write { writer -> Account? in
            guard let account = try writer.reader.account(named: name) else { return nil }
            try writer.change(wanted, ofUser: account.user.id, now: time)
            let changes = [
                role.map { "role=\($0.rawValue)" }, isDisabled.map { "disabled=\($0)" },
                wanted.password.map { $0 == nil ? "password taken away" : "password" },
                groups.map { "groups=\($0.joined(separator: ","))" },
            ].compactMap(\.self)
            try writer.note(Deed(.changeUser, name, changes.joined(separator: " ")), by: actor, now: time)
            if isDisabled == false { try writer.restoreIdentities(ofUser: account.user.id) }
            try Self.forEachToken(of: account.user, writer.reader) { token in
                let spec = token.record.spec
                // What stands for somebody from outside has the role that the configuration gives.
                let lostRole =
                    spec.identity == nil
                    && role.map { $0 != spec.role && !($0 == .operator && spec.role == .user) } ?? false
                let lostPassword = wanted.password != nil && spec.name == Self.loginName
                if lostRole || lostPassword || isDisabled == true {
                    _ = try writer.revokeToken(token.record.id, now: time)
                }
            }
            return try writer.reader.account(named: name)
        }
        guard let account else { throw AccountRefusal.noUser(name) }
        return account
    }

    /// Whose name and password these are: ``Logins/check(_:_:from:)``.
    public func check(_ name: String, _ password: String, from address: String) async throws -> Account {
        try await logins.check(name, password, from: address)
    }

    /// A token for a name and a password.
    ///
    /// - Throws: ``LoginRefusal``.
    public func login(
        _ name: String, _ password: String, from address: String, seconds: Double, scopes: Set<Scope>? = nil
    ) async throws -> NewToken {
        let account = try await logins.check(name, password, from: address)
        var spec = TokenSpec(role: account.role)
        spec.name = Self.loginName
        spec.scopes = scopes
        spec.expires = now().adding(seconds: seconds)
        let actor = Requester(name: account.user.name, token: nil, address: address)
        return try await addToken(spec, to: account.user, by: actor, as: .login, endsOldest: true)
    }

    /// Makes a token.
    ///
    /// - Parameter endsOldest: where there are too many, the oldest that a login gave ends for it.
    public func addToken(
        _ spec: TokenSpec, to user: User, by actor: Requester, as action: Deed.Action = .addToken,
        endsOldest: Bool = false
    ) async throws -> NewToken {
        let (token, hash) = AccessToken.make()
        let time = now()
        let id = try await store.write { writer -> Int in
            var good = 0
            var oldest: Int?
            try Self.forEachToken(of: user, writer.reader) { known in
                guard known.revoked == nil, !known.record.isOver(at: time) else { return }
                good += 1
                let isLogin = known.record.spec.name == Self.loginName && known.record.spec.identity == nil
                if isLogin, oldest == nil { oldest = known.record.id }
            }
            if good >= Self.mostTokens {
                guard endsOldest, let oldest else { throw AccountRefusal.tooManyTokens(Self.mostTokens) }
                _ = try writer.revokeToken(oldest, now: time)
                try writer.note(Deed(.revokeToken, "\(oldest)", "user=\(user.name)"), by: actor, now: time)
            }
            let id = try writer.addToken(spec, hash: hash, user: user, now: time)
            try writer.note(Deed(action, "\(id)", spec.summary(of: user)), by: actor, now: time)
            return id
        }
        let record = TokenRecord(id: id, user: user, spec: spec)
        return NewToken(token: token, known: KnownToken(record: record, made: time, revoked: nil))
    }

    /// A page of tokens by id, after one of them: everybody's, or a user's.
    public func tokens(ofUser user: Int?, after id: Int, limit: Int) async throws -> [KnownToken] {
        try await store.ask { try $0.tokens(ofUser: user, after: id, limit: limit) }
    }

    /// Revokes a token.
    ///
    /// - Parameter owner: It has to be this user's; nil: anybody's.
    public func revoke(token id: Int, of owner: Int?, by actor: Requester) async throws -> KnownToken {
        guard let known = try await store.ask({ try $0.token(id) }), owner == nil || known.record.user.id == owner
        else {
            throw AccountRefusal.noToken(id)
        }
        // Who shut themselves out could not let themselves in again.
        if owner != nil, known.record.spec.identity != nil { throw AccountRefusal.standing(id) }
        let time = now()
        let token = try await store.write { writer in
            if try writer.revokeToken(id, now: time) != nil {
                try writer.note(
                    Deed(.revokeToken, "\(id)", "user=\(known.record.user.name)"), by: actor, now: time)
            }
            return try writer.reader.token(id)
        }
        return token ?? known
    }

    private static func forEachToken(
        of user: User, _ reader: StoreReader, _ body: (KnownToken) throws -> Void
    ) throws {
        var after = 0
        while true {
            let tokens = try reader.tokens(ofUser: user.id, after: after, limit: page)
            try tokens.forEach(body)
            guard tokens.count == page, let last = tokens.last else { return }
            after = last.record.id
        }
    }
}

extension TokenSpec {
    /// `user=alice role=user scopes=jobs.read expires=2026-01-31T12:00:00.000Z`
    func summary(of user: User) -> String {
        [
            "user=\(user.name)", "role=\(role.rawValue)",
            scopes.map { "scopes=" + $0.map(\.rawValue).sorted().joined(separator: ",") },
            expires.map { "expires=\($0.text)" },
        ].compactMap(\.self).joined(separator: " ")
    }
}

/// A token on its way to whom it is for.
public struct NewToken: Sendable, Hashable {
    /// Shown once: it can't be found out again.
    public var token: String
    public var known: KnownToken
}
