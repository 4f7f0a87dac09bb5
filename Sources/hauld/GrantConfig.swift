import HaulAuth
import HaulConfig
import HaulModel

/// What somebody from outside gets: `role`, and what narrows it (`scopes`; of a worker `sites`, `queues`, `users`). These
/// keys stand among those that say who.
struct GrantConfig: Decodable, Sendable {
    var grant: Grant

    private enum CodingKeys: String, CodingKey { case role, scopes, sites, queues, users }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let roles = Role.allCases.map(\.rawValue).joined(separator: ", ")
        guard let role = Role(rawValue: try container.decode(String.self, forKey: .role)) else {
            throw ConfigValueError(expected: "one of \(roles)", key: "role")
        }
        grant = Grant(role: role)
        let names = role.scopes.map(\.rawValue).sorted().joined(separator: ", ")
        if let scopes = try container.decodeIfPresent([String].self, forKey: .scopes) {
            let known = Set(scopes.compactMap(Scope.init))
            guard known.count == Set(scopes).count, !known.isEmpty, known.isSubset(of: role.scopes) else {
                throw ConfigValueError(expected: "a list of some of \(names)", key: "scopes")
            }
            grant.scopes = known
        }
        grant.sites = try container.decodeIfPresent([Int].self, forKey: .sites)
        grant.queues = try container.decodeIfPresent([String].self, forKey: .queues)
        grant.users = try container.decodeIfPresent([String].self, forKey: .users)
        let isRestricted = grant.sites != nil || grant.queues != nil || grant.users != nil
        if isRestricted, role != .worker {
            throw ConfigValueError(
                expected: "worker, as sites, queues and users restrict what a worker gets", key: "role")
        }
    }
}
