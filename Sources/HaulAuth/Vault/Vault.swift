import Foundation
import HaulCrypto
public import HaulModel
public import HaulStore

/// Why nothing became of a wish about credentials.
public enum CredentialRefusal: Error, Sendable, Hashable {
    /// The secret is not what its kind has to be: the end of a sentence that starts with it.
    case unfit(String)
    case unknownKind(String, known: [String])
    /// A secret of this kind is shown to one site, which has to be named.
    case siteNeeded(String)
    /// A site of another user's: its maker says where it leads.
    case othersSite(String)
    case none(Int)
    case tooMany(Int)
    /// Its time is over: nothing is handed out of it.
    case expired(kind: String, site: Int, at: Timestamp)
    /// The server can't open it: the cause, for its log.
    case unreadable(String)
}

/// What users show at sites: sealed with a key that is not in the database, opened for the worker that holds a lease, never
/// for anybody else, not even its owner.
public struct Vault: Sendable {
    /// Of one user.
    static let most = 1000
    private static let page = 500

    private let store: Store
    private let keys: VaultKeys
    let now: @Sendable () -> Timestamp
    /// Kinds of credentials that a protocol takes; nil for one that is not known here.
    private let kinds: @Sendable (ProtocolName) -> [String]
    /// All of them.
    public let allKinds: [String]

    public init(
        store: Store, keys: VaultKeys, allKinds: [String], now: @escaping @Sendable () -> Timestamp,
        kinds: @escaping @Sendable (ProtocolName) -> [String]
    ) {
        self.store = store
        self.keys = keys
        self.now = now
        self.kinds = kinds
        self.allKinds = allKinds
    }

    /// Sees to it that the keys are those of this database; makes a first one where there is none yet.
    ///
    /// - Throws: ``VaultProblem`` where what is sealed there can't be opened with them.
    public static func open(_ keys: VaultKeys, store: Store) async throws {
        var counts = try await sealingKey(of: store)
        if counts == nil, !keys.isThere { try keys.make() }
        let newest = try keys.newest().id
        if counts == nil { counts = try await store.write { try $0.vaultKey(initially: newest) } }
        guard let counts, try keys.key(counts) != nil else {
            throw VaultProblem(
                description:
                    "\(keys.path): does not hold the key \(counts ?? "?"), with which this database's credentials are sealed; "
                    + "every server of a database needs the same key file")
        }
    }

    /// The id of the key that seals in this database; nil where nothing was ever sealed.
    public static func sealingKey(of store: Store) async throws -> String? {
        try await store.ask { try $0.setting("vault_key") }.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A user's, by id.
    public func list(ofUser user: Int) async throws -> [Credential] {
        try await store.ask { try $0.credentials(ofUser: user) }
    }

    /// Keeps a credential in the place of the one of the same kind for the same site.
    ///
    /// - Parameter site: nil: for all sites of which the user has none of its own.
    /// - Throws: ``CredentialRefusal``, ``VaultProblem``.
    public func put(
        _ secret: [UInt8], kind: String, site: Site?, user: User, by actor: Requester
    ) async throws -> Credential {
        let known = site.map { kinds($0.protocolName) } ?? allKinds
        guard known.contains(kind) else { throw CredentialRefusal.unknownKind(kind, known: known) }
        if let site, !site.access.trusts(user.name) { throw CredentialRefusal.othersSite(site.name) }
        if site == nil, !CredentialKind.everywhere.contains(kind) { throw CredentialRefusal.siteNeeded(kind) }
        let facts = try CredentialKind.facts(of: secret, kind: kind)
        let time = now()
        if let expires = facts.expires, expires <= time {
            throw CredentialRefusal.unfit("has expired at \(expires.text)")
        }
        let keys = keys
        let credential = Credential(
            id: 0, userID: user.id, userName: user.name, siteID: site?.id, kind: kind,
            subject: String(facts.subject.prefix(256)),
            expires: facts.expires, changed: time, revision: 0)
        return try await store.write { writer in
            let all = try writer.reader.credentials(ofUser: user.id)
            let isThere = all.contains { $0.siteID == site?.id && $0.kind == kind }
            guard isThere || all.count < Self.most else { throw CredentialRefusal.tooMany(Self.most) }
            let key = try Self.sealing(writer.reader, keys)
            let kept = try writer.keepCredential(credential) { named in
                (key.id, Sealing.seal(secret, context: Self.context(of: named), key: key.bytes))
            }
            try writer.note(
                Deed(.putCredential, "\(kept.id)", "kind=\(kind) site=\(site.map(\.name) ?? "*")"), by: actor, now: time
            )
            return kept
        }
    }

    public func remove(_ id: Int, of user: Int, by actor: Requester) async throws {
        let time = now()
        let isGone = try await store.write { writer in
            guard try writer.removeCredential(id, ofUser: user) else { return false }
            try writer.note(Deed(.removeCredential, "\(id)"), by: actor, now: time)
            return true
        }
        guard isGone else { throw CredentialRefusal.none(id) }
    }

    /// What a user shows at a site, by kind.
    public func shown(_ credentials: [Credential], at site: Site) -> [String: Credential] {
        credentials.shown(at: site, kinds: kinds(site.protocolName))
    }

    /// The secrets that a user shows at a site, by kind. That they were given is recorded before they are.
    ///
    /// - Parameters:
    ///   - element: for which they are given: `17.3`; `17` for all of a job's.
    ///   - actor: whom they are given to.
    /// - Throws: ``CredentialRefusal/expired``, ``CredentialRefusal/unreadable``.
    public func open(
        ofUser user: Int, at site: Site, for element: String, by actor: Requester
    ) async throws -> [String: [UInt8]] {
        let time = now()
        // On the store's threads, since the key file is looked at: its disk may be slow.
        let (secrets, given) = try await store.ask { reader in
            let wanted = shown(try reader.credentials(ofUser: user), at: site)
            var secrets: [String: [UInt8]] = [:]
            var given: [Int] = []
            var over: CredentialRefusal?
            for credential in wanted.values {
                if let end = credential.expires, end <= time {
                    over = .expired(kind: credential.kind, site: site.id, at: end)
                } else if let item = try reader.sealedCredential(credential.id) {
                    secrets[credential.kind] = try opened(item)
                    given.append(credential.id)
                }
            }
            // Without a good one the worker would show what it has itself: as somebody else.
            if secrets.isEmpty, let over { throw over }
            return (secrets, given)
        }
        let what = "element=\(element) site=\(site.name)"
        let deeds = given.sorted().map { (Deed(.giveCredential, "\($0)", what), actor) }
        if !deeds.isEmpty { try await store.write { try $0.note(deeds, now: time) } }
        return secrets
    }

    private func opened(_ item: SealedCredential) throws -> [UInt8] {
        let name = "credential \(item.credential.id)"
        guard let key = try keys.key(item.keyID) else {
            throw CredentialRefusal.unreadable("\(name): \(keys.path) does not hold the key \(item.keyID)")
        }
        guard let secret = Sealing.open(item.sealed, context: Self.context(of: item.credential), key: key.bytes) else {
            throw CredentialRefusal.unreadable("\(name) was not sealed by this vault, or was changed since")
        }
        return secret
    }

    /// The key that seals by now: all servers of the database have it before it does.
    private static func sealing(_ reader: StoreReader, _ keys: VaultKeys) throws -> VaultKeys.Key {
        let id = String(decoding: try reader.setting("vault_key") ?? [], as: UTF8.self)
        guard let key = try keys.key(id) else {
            throw VaultProblem(description: "\(keys.path): does not hold the key \(id), which seals by now")
        }
        return key
    }

    /// Adds a key to the file, which seals nothing before ``rotate()``.
    public func addKey() throws { _ = try keys.add() }

    /// Seals everything with the newest key of the file, or with a new one where that is the one that seals. The old ones
    /// stay in the file until ``retire()``.
    ///
    /// - Returns: how many credentials were sealed anew.
    public func rotate() async throws -> Int {
        var key = try keys.newest()
        if try await Self.sealingKey(of: store) == key.id { key = try keys.add() }
        let id = key.id
        try await store.write { writer in
            try writer.setVaultKey(id)
            try writer.note(Deed(.rotateVault, id), by: .console, now: now())
        }
        return try await sealAnew()
    }

    /// Drops the keys but the one that seals.
    ///
    /// - Returns: how many went.
    public func retire() async throws -> Int {
        _ = try await sealAnew()
        let key = try await store.ask { try Self.sealing($0, keys) }
        return try keys.drop(allBut: key.id)
    }

    private func sealAnew() async throws -> Int {
        let key = try await store.ask { try Self.sealing($0, keys) }
        var (count, last) = (0, 0)
        while true {
            let after = last
            let page = try await store.ask { try $0.sealedCredentials(notBy: key.id, after: after, limit: Self.page) }
            guard let end = page.last else { return count }
            let fresh = try page.map { item in
                (item, Sealing.seal(try opened(item), context: Self.context(of: item.credential), key: key.bytes))
            }
            try await store.write { writer in
                for (item, sealed) in fresh { try writer.reseal(item, keyID: key.id, sealed: sealed) }
            }
            count += page.count
            last = end.credential.id
        }
    }

    /// What is sealed opens nowhere else: in no other row, of no other user, site or kind.
    private static func context(of credential: Credential) -> [UInt8] {
        let parts = [credential.id, credential.userID, credential.siteID ?? -1].map(String.init) + [credential.kind]
        return Array("haul credential \(parts.joined(separator: " "))".utf8)
    }
}
