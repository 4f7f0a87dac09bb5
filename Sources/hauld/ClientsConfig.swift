import HaulAuth
import HaulConfig

/// `clients`: whose certificates are taken, and who is known by them.
struct ClientsConfig: Decodable, Sendable {
    private(set) var authorities: String
    private(set) var revoked: String?
    let holders: [DistinguishedName: CertificateHolder]

    private enum CodingKeys: String, CodingKey { case authorities, revoked, subjects }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        authorities = try container.decode(String.self, forKey: .authorities)
        revoked = try container.decodeIfPresent(String.self, forKey: .revoked)
        var holders: [DistinguishedName: CertificateHolder] = [:]
        let subjects = try container.decode([String: Holder].self, forKey: .subjects)
        for (text, holder) in subjects.sorted(by: { $0.key < $1.key }) {
            guard let subject = DistinguishedName(text) else {
                throw ConfigValueError(
                    expected: "subjects such as \"CN=worker-1,O=site\" or \"/O=site/CN=worker-1\", not \"\(text)\"",
                    key: "subjects")
            }
            guard holders.updateValue(holder.holder, forKey: subject) == nil else {
                throw ConfigValueError(expected: "each subject once; \"\(text)\" is another's again", key: "subjects")
            }
        }
        self.holders = holders
    }

    /// Paths in it, relative to the file that it stands in.
    func resolved(relativeTo file: String) -> ClientsConfig {
        var config = self
        config.authorities = ConfigFile.resolve(authorities, relativeTo: file)
        config.revoked = revoked.map { ConfigFile.resolve($0, relativeTo: file) }
        return config
    }

    /// An item of `subjects`.
    private struct Holder: Decodable {
        let holder: CertificateHolder

        private enum CodingKeys: String, CodingKey { case user }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            let user = try container.decode(String.self, forKey: .user)
            if let problem = AccessToken.problem(withUser: user) {
                throw ConfigValueError(expected: "a user: \(problem)", key: "user")
            }
            holder = CertificateHolder(user: user, grant: try GrantConfig(from: decoder).grant)
        }
    }
}
