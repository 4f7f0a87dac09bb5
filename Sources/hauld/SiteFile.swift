import Foundation
import HaulConfig
import HaulModel
import HaulProtocol

/// `sites.json5`: name -> site.
struct SiteFile: Decodable, Sendable {
    var sites: [Site]

    private struct Entry: Decodable, Sendable {
        var id: Int
        var protocolName: ProtocolName
        var endpoints: [String]
        var options: [String: JSONValue]
        var root: String?
        var limits: Limits
        var access: SiteAccess

        private enum CodingKeys: String, CodingKey {
            case id, endpoints, options, root, limits, users, groups
            case protocolName = "protocol"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decode(Int.self, forKey: .id, in: 0...Int.max)
            guard let name = ProtocolName(text: try container.decode(String.self, forKey: .protocolName)) else {
                throw ConfigValueError(expected: "the name of a protocol", key: "protocol")
            }
            protocolName = name
            endpoints = try container.decode([String].self, forKey: .endpoints, default: [])
            options = try container.decode([String: JSONValue].self, forKey: .options, default: [:])
            root = try container.decodeIfPresent(String.self, forKey: .root)
            limits = try container.decode(Limits.self, forKey: .limits, default: Limits())
            access = SiteAccess(
                users: try container.decodeIfPresent([String].self, forKey: .users),
                groups: try container.decodeIfPresent([String].self, forKey: .groups))
        }
    }

    private struct Limits: Decodable, Sendable {
        var limits = Site.Limits()

        private enum CodingKeys: String, CodingKey {
            case out
            case into = "in"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            func limit(_ key: CodingKeys) throws -> Int? {
                guard container.contains(key), try !container.decodeNil(forKey: key) else { return nil }
                return try container.decode(Int.self, forKey: key, in: 1...1_000_000)
            }
            limits = Site.Limits(into: try limit(.into), out: try limit(.out))
        }
    }

    init(from decoder: any Decoder) throws {
        let entries = try decoder.singleValueContainer().decode([String: Entry].self)
        sites = entries.map { name, entry in
            Site(
                id: entry.id, name: name, protocolName: entry.protocolName, endpoints: entry.endpoints,
                options: entry.options, root: entry.root, limits: entry.limits.limits, access: entry.access)
        }
    }

    /// The sites of a file, checked against each other and the manifests.
    static func load(_ path: String, manifests: [String: ProtocolManifest]) throws(ConfigError) -> [Site] {
        let sites = try ConfigFile.load(SiteFile.self, from: path).sites.sorted { ($0.id, $0.name) < ($1.id, $1.name) }
        var seen: [Int: String] = [:]
        for site in sites {
            if let other = seen.updateValue(site.name, forKey: site.id) {
                throw ConfigError(file: path, key: "\(site.name).id", message: "\(site.id) is the id of \(other) too")
            }
            guard Site.isName(site.name) else {
                throw ConfigError(
                    file: path, key: site.name,
                    message: "a site's name has 1 to 64 letters, digits, dots, dashes or underscores, and is no number")
            }
            if let wrong = site.endpoints.first(where: { !Site.isEndpoint($0) }) {
                throw ConfigError(file: path, key: "\(site.name).endpoints", message: "\"\(wrong)\" is not HOST:PORT")
            }
            let specs = manifests[site.protocolName.folder]?.siteOptions ?? []
            if let problem = specs.problems(in: site.options).first {
                throw ConfigError(file: path, key: "\(site.name).options.\(problem.key)", message: problem.message)
            }
        }
        return sites
    }
}
