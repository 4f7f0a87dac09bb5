import HaulConfig
import HaulModel

/// `user_sites` of the configuration: which sites users may make for themselves.
struct UserSiteRules: Decodable, Sendable {
    /// Sites of one user.
    var most = 0
    var protocols = Set(["ssh", "http", "s3", "gridftp", "xrootd"].compactMap { ProtocolName(text: $0) })

    private enum CodingKeys: String, CodingKey { case most, protocols }

    init() {}

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        most = try container.decode(Int.self, forKey: .most, in: 0...10_000, default: most)
        guard let names = try container.decodeIfPresent([String].self, forKey: .protocols) else { return }
        let known = names.compactMap { ProtocolName(text: $0) }
        guard known.count == names.count else {
            throw ConfigValueError(expected: "a list of names of protocols", key: "protocols")
        }
        protocols = Set(known)
    }
}
