/// A storage place with an id.
public struct Site: Sendable, Hashable {
    /// What jobs name it by.
    public var id: Int
    /// What people name it by: letters, digits, `-`, `_`, `.`.
    public var name: String
    public var protocolName: ProtocolName
    /// `host:port`; several serve the same files.
    public var endpoints: [String]
    /// What its protocol wants to know of a site (`site_options` of the manifest).
    public var options: [String: JSONValue]
    /// The topmost path as jobs name it, which a REMOVE spares unless confirmed.
    public var root: String?
    /// Elements that may be with workers at once.
    public var limits: Limits

    /// How many elements of a site may be with workers at once; nil is any number.
    public struct Limits: Sendable, Hashable {
        /// As their destination.
        public var into: Int?
        /// As their source.
        public var out: Int?

        public init(into: Int? = nil, out: Int? = nil) {
            self.into = into
            self.out = out
        }

        public subscript(direction: SiteUse.Direction) -> Int? { direction == .into ? into : out }
    }

    public init(
        id: Int, name: String, protocolName: ProtocolName, endpoints: [String], options: [String: JSONValue] = [:],
        root: String? = nil, limits: Limits = Limits()
    ) {
        self.id = id
        self.name = name
        self.protocolName = protocolName
        self.endpoints = endpoints
        self.options = options
        self.root = root
        self.limits = limits
    }
}
