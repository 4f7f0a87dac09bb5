/// A job that a user asks for, checked.
public struct JobRequest: Sendable, Hashable {
    public var type: JobType
    public var protocolName: ProtocolName
    public var source: Job.Place
    public var destination: Job.Place?
    public var options: [String: JSONValue]
    public var priority: Int
    public var maxTries: Int
    public var queue: String
    public var label: String?
    /// When what has not ended fails.
    public var deadline: Timestamp?
    /// The same in seconds from the registration; the earlier one counts.
    public var maxQueueTime: Int?
    /// Seconds from its start after which it is cancelled; 0 is any number. Nil where it was not said.
    public var executionSeconds: Int?
    /// When it is cancelled and removed.
    public var destruction: Timestamp?
    /// Of a TASK what there is to do; of others the words in which they were asked for, where there are any.
    public var task: String?
}

/// What is wrong with a request: field -> what was expected. Names every such field.
public struct FieldProblems: Error, Sendable, Hashable {
    public var fields: [String: String]

    public init(_ fields: [String: String]) { self.fields = fields }

    /// All of it in a line: `src_filepath is missing: must be a path; ...`.
    public var sentence: String {
        fields.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: "; ")
    }
}

/// What the server knows that a request is checked against.
public struct RegistrationRules: Sendable {
    public var sites: SiteDirectory {
        didSet { protocols = Self.protocols(sites, manifests) }
    }
    /// Who registers: sites that they may not use are as if they were not there.
    public var user = SiteUser.anybody
    /// The declarations of a protocol's options, by the protocol; those known to all where it has no manifest here.
    public var options: @Sendable (ProtocolName) -> [OptionSpec]
    /// What a job may name: the documented protocols, those of the sites, and those with a manifest here.
    public private(set) var protocols: Set<ProtocolName>
    private let manifests: [ProtocolName]

    /// - Parameter manifests: the protocols with a manifest here.
    public init(
        sites: SiteDirectory, manifests: [ProtocolName] = [],
        options: @escaping @Sendable (ProtocolName) -> [OptionSpec]
    ) {
        self.sites = sites
        self.options = options
        self.manifests = manifests
        protocols = Self.protocols(sites, manifests)
    }

    private static func protocols(_ sites: SiteDirectory, _ manifests: [ProtocolName]) -> Set<ProtocolName> {
        Set(ProtocolName.documented + sites.sites.map(\.protocolName) + manifests)
    }

    /// What the protocols that a job may name call their options, those known to all among them.
    public var optionNames: [String] {
        Set(CommonOptions.specs.map(\.name)).union(protocols.flatMap { options($0).map(\.name) }).sorted()
    }

    /// The same for what this user registers.
    public func applied(to user: SiteUser) -> RegistrationRules {
        var rules = self
        rules.user = user
        return rules
    }
}

extension JobRequest {
    /// The queue of a job that names none.
    public static let defaultQueue = "default"
    /// Bytes that `extra_opts` may have as JSON.
    public static let optionsLimit = 64 << 10
    /// The field that holds the options.
    public static let optionsName = "extra_opts"
    /// The field that holds what there is to do of a TASK.
    public static let taskName = "task"
    /// Bytes that it may have as JSON.
    public static let taskLimit = 60 << 10
    /// Where a registration does not say.
    public static let usualPriority = 5
    /// Tries of each element, where a registration does not say; a TASK has one.
    public static let usualTries = 2
    /// The fields that a registration knows.
    public static let fieldNames: Set<String> = [
        "type", "src_siteid", "src_filepath", "dst_siteid", "dst_filepath", "protocol", "priority", "max_tries",
        "queue", "label", "deadline", "max_queue_time", "execution_duration", "destruction", optionsName, taskName,
    ]

    /// Ten years, in seconds.
    public static let longestQueueTime = 315_576_000

    /// Checks a registration's document (`POST /jobs`, `/list` ...). Fields that it does not know are ignored.
    ///
    /// - Parameter fixedType: the type that the URL stands for; nil where the document has to say it.
    public init(
        _ document: [String: JSONValue], type fixedType: JobType?, rules: RegistrationRules
    ) throws(FieldProblems) {
        try self.init(FieldReader(document), type: fixedType, rules: rules)
    }

    /// Checks what was registered first and is to be committed now. Texts count for what they spell: `"3"` is a number
    /// where one is wanted, and an empty one is missing.
    public init(_ draft: JobDraft, rules: RegistrationRules) throws(FieldProblems) {
        try self.init(FieldReader(draft.document, readsTexts: true), type: nil, rules: rules)
    }

    private init(
        _ fields: FieldReader, type fixedType: JobType?, rules: RegistrationRules
    ) throws(FieldProblems) {
        var reader = fields
        let type = fixedType ?? reader.jobType()
        task = reader.task(isNeeded: type == .task)
        // A TASK is nowhere.
        let isSomewhere = type != .task
        let source = isSomewhere ? reader.site("src_siteid", rules) : nil
        let sourcePath = isSomewhere ? reader.path("src_filepath") : nil
        var target: Site?
        var targetPath: String?
        if type == .copy { target = reader.site("dst_siteid", rules) }
        if type == .rename { target = source }
        if type?.hasDestination == true { targetPath = reader.path("dst_filepath") }
        var options = reader.options()
        let protocolName =
            (isSomewhere ? reader.protocolName(among: rules.protocols) : .dummy) ?? source?.protocolName ?? .gridftp
        priority = reader.integer("priority", in: 0...9) ?? Self.usualPriority
        maxTries = reader.integer("max_tries", in: 1...100) ?? (isSomewhere ? Self.usualTries : 1)
        queue = reader.text("queue", limit: 64) ?? Self.defaultQueue
        label = reader.text("label", limit: 256)
        deadline = reader.time("deadline")
        maxQueueTime = reader.integer("max_queue_time", in: 1...Self.longestQueueTime)
        executionSeconds = reader.integer("execution_duration", in: 0...Self.longestQueueTime)
        destruction = reader.time("destruction")
        if reader.readsTexts { options = rules.options(protocolName).reading(options) }
        for problem in isSomewhere ? rules.options(protocolName).problems(in: options) : [] {
            reader.problems["extra_opts.\(problem.key)"] = problem.message
        }
        if let source, let sourcePath {
            if let target, let targetPath, source.id == target.id,
                let below = TransferPath.relative(
                    TransferPath.normalized(targetPath), to: TransferPath.normalized(sourcePath))
            {
                if below.isEmpty { reader.problems["dst_filepath"] = "is the source itself" }
                if type == .rename, !below.isEmpty { reader.problems["dst_filepath"] = "is inside the source" }
            }
            if type == .remove, TransferPath.isRoot(sourcePath, siteRoot: source.root), options["confirm"] != true {
                reader.problems["src_filepath"] =
                    "is the root of the site: extra_opts.confirm = true (haul remove --confirm) removes all that is there"
            }
        }
        guard reader.problems.isEmpty, let type else { throw FieldProblems(reader.problems) }
        let place = source.flatMap { site in sourcePath.map { Job.Place(siteID: site.id, path: $0) } }
        guard let place = type == .task ? Job.Place.nowhere : place else { throw FieldProblems(reader.problems) }
        self.type = type
        self.protocolName = protocolName
        self.options = options
        self.source = place
        if let target, let targetPath { destination = Job.Place(siteID: target.id, path: targetPath) }
    }
}
