public import Foundation
public import HaulModel

/// What a worker is told by its configuration file (`config/worker.json5` explains each key).
public struct WorkerConfig: Sendable {
    /// Where hauld is: `http://host:port`.
    public var url: URL
    /// A PEM file of authorities to trust instead of the system's.
    public var authoritiesPath: String?
    /// PEM files of the certificate that it shows, and of its key.
    public var certificatePath: String?
    public var keyPath: String?
    /// The worker's bearer token; nil where it shows a certificate instead.
    public var token: String?
    /// Where it stands, and where another stands when it is over.
    public var tokenFile: String?
    /// Unique among workers.
    public var name: String
    /// Batches that run at once: backend processes.
    public var slots: Int
    /// Where the protocols' folders stand.
    public var protocolsFolder: String
    /// Ids of the sites it can reach; empty means all.
    public var sites: [Int]
    /// Private folder for scratch and spool.
    public var workFolder: String
    /// Bytes of file data in transit.
    public var spoolBytes: Int
    /// The types of jobs it takes.
    public var types: [JobType]
    /// Protocol (lower case) to what its `settings` are.
    public var settings: [String: [String: JSONValue]]
    /// Which hosts it may be made to talk to; nil is any.
    public var hosts: HostList?
    /// Site (name or id) to kind of credential to the path of the file that holds it.
    public var credentials: [String: [String: String]]
    /// The most elements of one claim, up to 1000: a server gives no more.
    public var claimLimit: Int
    /// The most bytes of one claim, which has one element even if that is larger; nil counts elements instead.
    public var claimBytes: Int?
    /// Elements that one backend works on at a time; its manifest may say less.
    public var concurrency: Int
    /// Seconds that a backend with nothing to do is kept for the next batch of its kind; 0 for not at all.
    public var idleSeconds: Double
    /// Seconds that running elements may go on after the order to end.
    public var drainSeconds: Double
    /// Seconds without work after which it ends; nil is never.
    public var exitIdleSeconds: Double?

    /// What holds where the file says nothing.
    public enum Usual {
        public static let slots = 4
        public static let spoolBytes = 10 << 30
        public static let claimLimit = 200
        public static let concurrency = 64
        public static let idleSeconds = 5.0
        public static let drainSeconds = 30.0
    }

    public init(
        url: URL, authoritiesPath: String? = nil, certificatePath: String? = nil, keyPath: String? = nil,
        token: String?, tokenFile: String? = nil, name: String, slots: Int = Usual.slots,
        protocolsFolder: String, sites: [Int] = [], workFolder: String, spoolBytes: Int = Usual.spoolBytes,
        types: [JobType] = JobType.transfers, settings: [String: [String: JSONValue]] = [:],
        credentials: [String: [String: String]] = [:], claimLimit: Int = Usual.claimLimit, claimBytes: Int? = nil,
        concurrency: Int = Usual.concurrency, idleSeconds: Double = Usual.idleSeconds,
        drainSeconds: Double = Usual.drainSeconds
    ) {
        self.url = url
        self.authoritiesPath = authoritiesPath
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.token = token
        self.tokenFile = tokenFile
        self.name = name
        self.slots = slots
        self.protocolsFolder = protocolsFolder
        self.sites = sites
        self.workFolder = workFolder
        self.spoolBytes = spoolBytes
        self.types = types
        self.settings = settings
        self.credentials = credentials
        self.claimLimit = claimLimit
        self.claimBytes = claimBytes
        self.concurrency = concurrency
        self.idleSeconds = idleSeconds
        self.drainSeconds = drainSeconds
    }
}
