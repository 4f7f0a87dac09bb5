import HaulModel

extension Issuer {
    /// Seconds by which clocks may differ.
    static let leeway = 60.0
    /// Bytes that a user's name may have behind the issuer's.
    private static let longestName = 255

    /// Whom a token is about whose signature is right, and what they may do.
    func outsider(_ claims: [String: JSONValue], now: Timestamp) throws(TokenRefusal) -> Outsider {
        let expires = try checkTimes(claims, now: now)
        guard !audiences.isDisjoint(with: Self.texts(claims["aud"])) else { throw .audience }
        // Whoever can't check the proof has to refuse the token (RFC 7800, RFC 8705).
        guard claims["cnf"] == nil else { throw .bound }
        if let version = claims["wlcg.ver"] {
            guard case .string(let text) = version, text == "1" || text.hasPrefix("1.") else { throw .profile }
        }
        guard let subject = claims["sub"]?.string, Self.isName(subject), let user = claims[userClaim]?.string,
            Self.isName(user)
        else { throw .subject }
        guard let grant = grant(claims, subject: subject) else { throw .rule }
        let groups = groups(claims).filter { $0.utf8.count <= Self.longestName }.map { "\(name):\($0)" }
        return Outsider(
            user: "\(name):\(user)", identity: "\(url) \(subject)", grant: grant, expires: expires, groups: Set(groups))
    }

    private func checkTimes(_ claims: [String: JSONValue], now: Timestamp) throws(TokenRefusal) -> Timestamp {
        guard let expires = try Self.time(claims["exp"]) else { throw .times }
        guard now < expires.adding(seconds: Self.leeway) else { throw .expired }
        for claim in ["nbf", "iat"] {
            guard let time = try Self.time(claims[claim]) else { continue }
            guard time <= now.adding(seconds: Self.leeway) else { throw .early }
        }
        return expires
    }

    /// The first rule that fits says the role; others of that role that fit add their scopes. What restricts a worker is
    /// the first one's.
    private func grant(_ claims: [String: JSONValue], subject: String) -> Grant? {
        let groups = groups(claims)
        let scopes = claims["scope"]?.string?.split(separator: " ").compactMap { CapabilityScope(String($0)) } ?? []
        let fitting = rules.filter { rule in
            (rule.isForAll || rule.group != nil || rule.scope != nil || rule.subject != nil)
                && rule.group.map(groups.contains) ?? true
                && rule.scope.map { wanted in scopes.contains { $0.covers(wanted) } } ?? true
                && rule.subject.map { $0 == subject } ?? true
        }
        guard var grant = fitting.first?.grant else { return nil }
        for more in fitting.dropFirst() where more.grant.role == grant.role {
            guard let scopes = grant.scopes, let others = more.grant.scopes else {
                grant.scopes = nil
                break
            }
            grant.scopes = scopes.union(others)
        }
        return grant
    }

    private func groups(_ claims: [String: JSONValue]) -> Set<String> {
        groupClaims.reduce(into: []) { $0.formUnion(Self.texts(claims[$1])) }
    }

    /// A NumericDate; nil where there is none.
    private static func time(_ claim: JSONValue?) throws(TokenRefusal) -> Timestamp? {
        let seconds: Double
        switch claim {
        case nil: return nil
        case .int(let value): seconds = Double(value)
        case .double(let value): seconds = value
        default: throw .times
        }
        // Up to the year 9999, of which Timestamp has the milliseconds.
        guard (0...253_402_300_799).contains(seconds) else { throw .times }
        return Timestamp(milliseconds: Int(seconds * 1000))
    }

    /// A text, or an array of nothing but texts.
    private static func texts(_ claim: JSONValue?) -> Set<String> {
        switch claim {
        case .string(let text): [text]
        case .array(let items):
            items.contains { $0.string == nil } ? [] : Set(items.compactMap(\.string))
        default: []
        }
    }

    /// What can be a user's name: visible ASCII, so that no two names look the same.
    private static func isName(_ text: String) -> Bool {
        (1...longestName).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}
