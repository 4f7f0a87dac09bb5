/// One run of a worker process, or one claim of a worker of the documented system. It holds leases until `expires`.
public struct Session: Sendable, Hashable {
    public var id: Int
    /// Nil for the session of a claim without one.
    public var workerID: Int?
    /// The token that started it: only its bearer may use it.
    public var tokenID: Int
    public var worker: String
    public var expires: Timestamp
    public var ended: Timestamp?
    /// Why it was ended before its time; nil where the time came, or the worker began anew.
    public var revoked: String?

    public init(
        id: Int, workerID: Int?, tokenID: Int, worker: String, expires: Timestamp, ended: Timestamp? = nil,
        revoked: String? = nil
    ) {
        self.id = id
        self.workerID = workerID
        self.tokenID = tokenID
        self.worker = worker
        self.expires = expires
        self.ended = ended
        self.revoked = revoked
    }

    /// True while its leases are worth something.
    public func isLive(at now: Timestamp) -> Bool { ended == nil && expires > now }
}

/// A machine's agent process as it announced itself.
public struct WorkerRecord: Sendable, Hashable {
    public var name: String
    public var host: String
    public var version: String
    public var slots: Int
    /// Names of the protocols that it can run.
    public var protocols: [String]
    /// Ids of the sites that it can reach; empty is all.
    public var sites: [Int]

    public init(name: String, host: String, version: String, slots: Int, protocols: [String], sites: [Int]) {
        self.name = name
        self.host = host
        self.version = version
        self.slots = slots
        self.protocols = protocols
        self.sites = sites
    }
}

/// What a heartbeat says of its worker; nil is as before.
public struct HeartbeatRecord: Sendable, Hashable {
    /// One-minute load average of its machine.
    public var load: Double?
    public var slots: Int?
    /// Names of the protocols that it can run.
    public var protocols: [String]?
    /// Ids of the sites that it can reach; empty is all.
    public var sites: [Int]?

    public init(load: Double? = nil, slots: Int? = nil, protocols: [String]? = nil, sites: [Int]? = nil) {
        self.load = load
        self.slots = slots
        self.protocols = protocols
        self.sites = sites
    }
}
