public import HaulModel

/// `POST /worker/jobs` as haul's own worker sends it. The server itself reads the looser form of the documented system.
public struct ClaimRequest: Sendable, Codable {
    /// The integers of the types of jobs wanted.
    public var types: [Int]
    /// Names of protocols; nil means all.
    public var protocols: [String]?
    /// Ids of sites; nil or empty means all.
    public var sites: [Int]?
    public var session: Int?
    /// `BY_NUMBER` or `BY_SIZE`.
    public var algorithm: String?
    /// `limit` (elements) or `size` (bytes).
    public var arguments: [String: Int]?
    /// Seconds to park until there is work.
    public var wait: Double?

    /// - Parameters:
    ///   - limit: The most elements.
    ///   - bytes: Asks for files of so many bytes together, and at least one, in the place of a number of elements.
    public init(
        types: [Int], protocols: [String]?, sites: [Int]?, session: Int?, limit: Int, bytes: Int? = nil, wait: Double?
    ) {
        self.types = types
        self.protocols = protocols
        self.sites = sites
        self.session = session
        algorithm = bytes == nil ? "BY_NUMBER" : "BY_SIZE"
        arguments = bytes.map { ["size": $0] } ?? ["limit": limit]
        self.wait = wait
    }

    private enum CodingKeys: String, CodingKey {
        case types, protocols, sites, session, algorithm, wait
        case arguments = "algorithm.args"
    }
}

/// A job as a worker gets it: integer enums, every key there, null where unused.
public struct ClaimedJob: Sendable, Codable {
    public var id: Int
    public var userID: Int
    public var sourceSiteID: Int
    public var destinationSiteID: Int?
    public var sourcePath: String
    public var destinationPath: String?
    public var type: Int
    public var status: Int
    public var options: [String: JSONValue]
    public var priority: Int
    public var protocolValue: JSONValue
    public var logUID: String
    public var timestamp: String
    public var queue: String
    public var maxTries: Int
    public var source: ClaimedSite?
    public var destination: ClaimedSite?
    /// With a claim that has no session alone: the documented system's form of credentials.
    public var sourceCredentials: String?
    public var destinationCredentials: String?
    public var elements: [ClaimedElement]

    /// - Parameters:
    ///   - source: the site of `src_siteid`, nil where it is gone from the configuration.
    ///   - destination: the site of `dst_siteid`.
    public init(_ job: Job, source: Site?, destination: Site?, elements: [ClaimedElement]) {
        id = job.id
        userID = job.userID
        sourceSiteID = job.source.siteID
        destinationSiteID = job.destination?.siteID
        sourcePath = job.source.path
        destinationPath = job.destination?.path
        type = job.type.rawValue
        status = job.status.rawValue
        options = job.options
        priority = job.priority
        protocolValue = job.protocolName.workerValue
        logUID = job.logUID
        timestamp = job.changed.text
        queue = job.queue
        maxTries = job.maxTries
        self.source = source.map(ClaimedSite.init)
        self.destination = destination.map(ClaimedSite.init)
        self.elements = elements
    }

    private enum CodingKeys: String, CodingKey {
        case id, type, status, priority, timestamp, queue, elements
        case userID = "user_id"
        case sourceSiteID = "src_siteid"
        case destinationSiteID = "dst_siteid"
        case sourcePath = "src_filepath"
        case destinationPath = "dst_filepath"
        case options = "extra_opts"
        case protocolValue = "protocol"
        case logUID = "log_uid"
        case maxTries = "max_tries"
        case source = "src_site"
        case destination = "dst_site"
        case sourceCredentials = "src_credentials"
        case destinationCredentials = "dst_credentials"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(userID, forKey: .userID)
        try container.encode(sourceSiteID, forKey: .sourceSiteID)
        try container.encode(destinationSiteID, forKey: .destinationSiteID)
        try container.encode(sourcePath, forKey: .sourcePath)
        try container.encode(destinationPath, forKey: .destinationPath)
        try container.encode(type, forKey: .type)
        try container.encode(status, forKey: .status)
        try container.encode(options, forKey: .options)
        try container.encode(priority, forKey: .priority)
        try container.encode(protocolValue, forKey: .protocolValue)
        try container.encode(logUID, forKey: .logUID)
        try container.encode(timestamp, forKey: .timestamp)
        try container.encode(queue, forKey: .queue)
        try container.encode(maxTries, forKey: .maxTries)
        try container.encode(source, forKey: .source)
        try container.encode(destination, forKey: .destination)
        try container.encode(sourceCredentials, forKey: .sourceCredentials)
        try container.encode(destinationCredentials, forKey: .destinationCredentials)
        try container.encode(elements, forKey: .elements)
    }
}

/// What a worker has to know of a site.
public struct ClaimedSite: Sendable, Codable {
    public var id: Int
    public var name: String
    /// The plug-in that serves it, by name.
    public var protocolName: String
    /// `host:port`.
    public var endpoints: [String]
    public var options: [String: JSONValue]
    /// The credentials that the job's user shows here: kind to a text that changes with each of them; nil where there are
    /// none. They are fetched with an element's token when a batch starts.
    public var credentials: [String: String]?
    /// A user made it: a worker shows nothing of its own there. Left out where it is the operators'.
    public var owned: Bool?

    public init(_ site: Site) {
        id = site.id
        name = site.name
        protocolName = site.protocolName.name
        endpoints = site.endpoints
        options = site.options
        owned = site.access.owner == nil ? nil : true
    }

    private enum CodingKeys: String, CodingKey {
        case id, name, endpoints, options, credentials, owned
        case protocolName = "protocol"
    }
}

/// An element as a worker gets it: integer enums, every key there, null where unused.
public struct ClaimedElement: Sendable, Codable {
    public var id: Int
    public var jobID: Int
    public var sourcePath: String
    public var destinationPath: String?
    /// Bytes; 0 until known.
    public var size: Int
    public var maxTries: Int
    /// Attempts that ended before this one.
    public var attempts: Int
    /// Of those, the ones that cost no try.
    public var forgiven: Int
    public var type: Int
    public var status: Int
    public var timestamp: String
    /// Proves the lease.
    public var token: String
    /// The number of this attempt.
    public var attempt: Int
    /// When the lease ends unless a heartbeat renews it: UTC, milliseconds, `Z`.
    public var leaseUntil: String

    public init(_ element: Element, token: String, attempt: Int, leaseUntil: Timestamp) {
        id = element.id
        jobID = element.jobID
        sourcePath = element.sourcePath
        destinationPath = element.destinationPath
        size = element.size
        maxTries = element.maxTries
        attempts = element.attempts
        forgiven = element.forgiven
        type = element.type.rawValue
        status = element.status.rawValue
        timestamp = element.changed.text
        self.token = token
        self.attempt = attempt
        self.leaseUntil = leaseUntil.text
    }

    private enum CodingKeys: String, CodingKey {
        case id, size, attempts, forgiven, type, status, timestamp, token, attempt
        case jobID = "job_id"
        case sourcePath = "src_filepath"
        case destinationPath = "dst_filepath"
        case maxTries = "max_tries"
        case leaseUntil = "lease_until"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(jobID, forKey: .jobID)
        try container.encode(sourcePath, forKey: .sourcePath)
        try container.encode(destinationPath, forKey: .destinationPath)
        try container.encode(size, forKey: .size)
        try container.encode(maxTries, forKey: .maxTries)
        try container.encode(attempts, forKey: .attempts)
        try container.encode(forgiven, forKey: .forgiven)
        try container.encode(type, forKey: .type)
        try container.encode(status, forKey: .status)
        try container.encode(timestamp, forKey: .timestamp)
        try container.encode(token, forKey: .token)
        try container.encode(attempt, forKey: .attempt)
        try container.encode(leaseUntil, forKey: .leaseUntil)
    }
}
