/// A protocol as its folder's `protocol.json` declares it; this page is the specification of that file, and
/// `protocols/protocol.schema.json` says the same to editors.
///
/// ```json
/// {"schema": 1, "name": "example", "summary": "what it speaks, in a line", "schemes": ["example", "examples"],
///  "backend": ["example.py"], "reuse": false, "requires": ["python3"],
///  "operations": {"list": {"timeout": 120}, "copy": {"timeout": 3600, "batch": 256, "resume": true}},
///  "credentials": ["ssh-key"], "hosts": "endpoints",
///  "options": [{"name": "compress", "type": "bool", "default": false}],
///  "site_options": [{"name": "user", "type": "string"}],
///  "settings": [{"name": "ciphers", "type": "list"}]}
/// ```
public struct ProtocolManifest: Sendable, Hashable, Codable {
    /// The version of this form; 1.
    public var schema: Int
    /// The protocol's name: 1 to 32 of `a-z`, `0-9`, `-`, `_`, starting with a letter. Unique among a worker's
    /// protocols; jobs name it in any case.
    public var name: String
    /// One line for people.
    public var summary: String
    /// URL schemes that mean this protocol (`haul protocol check --against ssh://...`), in any case; none is its name.
    public var schemes: [String]
    /// The command: its first word is looked up in the protocol's folder, then beside the running executable, or
    /// is an absolute path. Never passed through a shell.
    public var backend: [String]
    /// A process may be given more once it has done its batch, or is about to have: it holds nothing for an element that
    /// has had its result, and what it believes of a site it looks up again within a minute.
    public var reuse: Bool
    /// Tools that must be found in `PATH` for the backend to work.
    public var requires: [String]
    /// What the backend can do.
    public var operations: [ProtocolOperation: OperationSpec]
    /// The kinds of credential that the backend understands; each arrives as a 0600 file.
    public var credentials: [String]
    /// Which machines it talks to.
    public var hosts: Hosts
    /// Options of a job (`extra_opts`), beside ``CommonOptions/specs``; one of those may be repeated to give it
    /// another default.
    public var options: [OptionSpec]
    /// Options of a site of this protocol.
    public var siteOptions: [OptionSpec]
    /// What the worker's configuration may say to this protocol.
    public var settings: [OptionSpec]

    /// Which machines a backend talks to: a worker may be told to talk to some alone.
    public enum Hosts: String, Sendable, Hashable, Codable {
        /// The endpoints of its sites, and whom those name.
        case endpoints
        /// None but its own.
        case none
        /// What options or credentials say.
        case anywhere
    }

    public init(
        name: String, summary: String = "", schemes: [String] = [], backend: [String], reuse: Bool = false,
        requires: [String] = [], operations: [ProtocolOperation: OperationSpec], credentials: [String] = [],
        hosts: Hosts = .anywhere, options: [OptionSpec] = [], siteOptions: [OptionSpec] = [],
        settings: [OptionSpec] = []
    ) {
        self.schema = 1
        self.name = name
        self.summary = summary
        self.schemes = schemes
        self.backend = backend
        self.reuse = reuse
        self.requires = requires
        self.operations = operations
        self.credentials = credentials
        self.hosts = hosts
        self.options = options
        self.siteOptions = siteOptions
        self.settings = settings
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case schema, name, summary, schemes, backend, reuse, requires, operations, credentials, hosts, options
        case siteOptions = "site_options"
        case settings
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        schema = try container.decode(Int.self, forKey: .schema)
        name = try container.decode(String.self, forKey: .name)
        summary = try container.decodeIfPresent(String.self, forKey: .summary) ?? ""
        schemes = try container.decodeIfPresent([String].self, forKey: .schemes) ?? []
        backend = try container.decode([String].self, forKey: .backend)
        reuse = try container.decodeIfPresent(Bool.self, forKey: .reuse) ?? false
        requires = try container.decodeIfPresent([String].self, forKey: .requires) ?? []
        operations = try container.decode([ProtocolOperation: OperationSpec].self, forKey: .operations)
        credentials = try container.decodeIfPresent([String].self, forKey: .credentials) ?? []
        hosts = try container.decodeIfPresent(Hosts.self, forKey: .hosts) ?? .anywhere
        options = try container.decodeIfPresent([OptionSpec].self, forKey: .options) ?? []
        siteOptions = try container.decodeIfPresent([OptionSpec].self, forKey: .siteOptions) ?? []
        settings = try container.decodeIfPresent([OptionSpec].self, forKey: .settings) ?? []
    }
}

extension ProtocolManifest {
    /// ``schemes``, or the name of a protocol that has none.
    public var knownSchemes: [String] { schemes.isEmpty ? [name] : schemes }

    /// Whether URLs of a scheme, in any case, mean this protocol.
    public func serves(scheme: String) -> Bool {
        knownSchemes.contains { $0.lowercased() == scheme.lowercased() }
    }

    /// Every option of a job that this protocol knows: the common ones, with this manifest's defaults, then its own.
    public var jobOptions: [OptionSpec] {
        let own = options.filter { option in !CommonOptions.specs.contains { $0.name == option.name } }
        let common = CommonOptions.specs.map { spec in
            var merged = spec
            if let override = options.first(where: { $0.name == spec.name })?.default { merged.default = override }
            return merged
        }
        return common + own
    }

    /// What is wrong with a job's options: each ill-typed known one. See ``unknownOptions(in:)`` for the others.
    public func problems(in options: [String: JSONValue]) -> [OptionProblem] { jobOptions.problems(in: options) }

    /// The job options that this protocol does not know: kept, echoed and warned of, never an error.
    public func unknownOptions(in options: [String: JSONValue]) -> [String] { jobOptions.unknown(in: options) }

    /// A job's options with the defaults of the protocol, as a backend's batch carries them.
    public func merged(_ options: [String: JSONValue]) -> [String: JSONValue] { jobOptions.defaulted(options) }
}
