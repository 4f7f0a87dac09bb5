public import HaulModel

/// One side of a batch: the `source` and `destination` of a `batch` line.
public struct SiteSpec: Sendable, Hashable, Codable {
    /// The site's name, for messages.
    public var site: String
    /// `host:port` each, the preferred one first; may be empty for a protocol without a network.
    public var endpoints: [String]
    /// The site's options, as its manifest's `site_options` declare them.
    public var options: [String: JSONValue]
    /// Kind of credential (`ssh-key`) to the path of a 0600 file that holds it.
    public var credentials: [String: String]
    /// The job's user shows those credentials, not the worker: they are to say who somebody is, and nothing else.
    public var isShownByUser: Bool

    public init(
        site: String, endpoints: [String] = [], options: [String: JSONValue] = [:], credentials: [String: String] = [:],
        isShownByUser: Bool = false
    ) {
        self.site = site
        self.endpoints = endpoints
        self.options = options
        self.credentials = credentials
        self.isShownByUser = isShownByUser
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        site = try container.decode(String.self, forKey: .site)
        endpoints = try container.decodeIfPresent([String].self, forKey: .endpoints) ?? []
        options = try container.decodeIfPresent([String: JSONValue].self, forKey: .options) ?? [:]
        credentials = try container.decodeIfPresent([String: String].self, forKey: .credentials) ?? [:]
        isShownByUser = try container.decodeIfPresent(Bool.self, forKey: .isShownByUser) ?? false
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(site, forKey: .site)
        try container.encode(endpoints, forKey: .endpoints)
        try container.encode(options, forKey: .options)
        try container.encode(credentials, forKey: .credentials)
        if isShownByUser { try container.encode(true, forKey: .isShownByUser) }
    }

    private enum CodingKeys: String, CodingKey {
        case site, endpoints, options, credentials
        case isShownByUser = "shown_by_user"
    }
}
