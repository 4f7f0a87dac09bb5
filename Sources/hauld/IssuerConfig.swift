import HaulAuth
import HaulConfig
import HaulModel

/// An item of `issuers`.
struct IssuerConfig: Decodable, Sendable {
    private(set) var issuer: Issuer

    private enum CodingKeys: String, CodingKey {
        case name, issuer, audience, jwks, authorities, user, groups, rules
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let name = try container.decode(String.self, forKey: .name)
        guard (1...32).contains(name.utf8.count), name.utf8.allSatisfy(Self.isPlain) else {
            throw ConfigValueError(expected: "1 to 32 letters, digits, dots, dashes and underscores", key: "name")
        }
        let url = try container.decode(String.self, forKey: .issuer)
        let audiences = try container.decode([String].self, forKey: .audience)
        guard !audiences.isEmpty, !audiences.contains("") else {
            throw ConfigValueError(
                expected: "the names under which tokens are made for this service, at least one", key: "audience")
        }
        let rules = try container.decode([Rule].self, forKey: .rules)
        guard !rules.isEmpty else {
            throw ConfigValueError(expected: "at least one rule: without any nobody gets in", key: "rules")
        }
        issuer = Issuer(name: name, url: url, audiences: Set(audiences), rules: rules.map(\.rule))
        issuer.keys = try container.decodeIfPresent(String.self, forKey: .jwks)
        // Of an issuer whose keys are configured, the address is no more than a name.
        guard !url.isEmpty, issuer.keys != nil || Issuer.isFetchable(url) else {
            throw ConfigValueError(expected: Self.fetchable, key: "issuer")
        }
        if let keys = issuer.keys, !Issuer.isFetchable(keys) {
            throw ConfigValueError(expected: Self.fetchable, key: "jwks")
        }
        issuer.authorities = try container.decodeIfPresent(String.self, forKey: .authorities)
        issuer.userClaim = try container.decode(String.self, forKey: .user, default: issuer.userClaim)
        issuer.groupClaims = try container.decode([String].self, forKey: .groups, default: issuer.groupClaims)
    }

    /// Paths in it, relative to the file that it stands in.
    func resolved(relativeTo file: String) -> IssuerConfig {
        var config = self
        config.issuer.authorities = issuer.authorities.map { ConfigFile.resolve($0, relativeTo: file) }
        return config
    }

    /// - Throws: where two have the same name or address.
    static func check(_ issuers: [IssuerConfig]) throws(ConfigValueError) {
        guard Set(issuers.map(\.issuer.name)).count == issuers.count,
            Set(issuers.map(\.issuer.url)).count == issuers.count
        else {
            throw ConfigValueError(expected: "issuers with names and addresses that no two share", key: "issuers")
        }
    }

    private static let fetchable = "\"https://...\" (\"http://...\" on this machine's loopback interface alone)"

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    /// An item of `rules`.
    private struct Rule: Decodable {
        var rule: IssuerRule

        private enum CodingKeys: String, CodingKey { case group, scope, subject, everyone }

        init(from decoder: any Decoder) throws {
            rule = IssuerRule(grant: try GrantConfig(from: decoder).grant)
            let container = try decoder.container(keyedBy: CodingKeys.self)
            rule.group = try container.decodeIfPresent(String.self, forKey: .group)
            rule.subject = try container.decodeIfPresent(String.self, forKey: .subject)
            if let text = try container.decodeIfPresent(String.self, forKey: .scope) {
                guard let scope = CapabilityScope(text), !text.contains(" ") else {
                    throw ConfigValueError(expected: "a scope: \"compute.create\", \"storage.read:/\"", key: "scope")
                }
                rule.scope = scope
            }
            rule.isForAll = try container.decode(Bool.self, forKey: .everyone, default: false)
            let isNarrowed = rule.group != nil || rule.scope != nil || rule.subject != nil
            guard isNarrowed != rule.isForAll else {
                throw ConfigValueError(expected: "whom it is for: group, scope or subject, or else everyone: true")
            }
            if rule.isForAll, rule.grant.role == .operator {
                throw ConfigValueError(expected: "user or worker, as not everyone can be an operator", key: "role")
            }
        }
    }
}
