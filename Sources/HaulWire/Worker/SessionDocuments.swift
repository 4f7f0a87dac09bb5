public import HaulModel

/// `POST /worker/register`: starts a session; the one that the worker had ends. A name is its token's while its session
/// lives: 409.
public struct WorkerRegistration: Sendable, Codable {
    /// Unique among workers.
    public var name: String
    public var host: String
    public var version: String
    /// Elements it runs at once.
    public var slots: Int
    /// The manifests of the protocols it can run.
    public var protocols: [JSONValue]
    /// Ids of the sites it can reach; empty means all.
    public var sites: [Int]

    public init(name: String, host: String, version: String, slots: Int, protocols: [JSONValue], sites: [Int]) {
        self.name = name
        self.host = host
        self.version = version
        self.slots = slots
        self.protocols = protocols
        self.sites = sites
    }
}

/// The answer to a registration.
public struct SessionDocument: Sendable, Codable {
    public var session: Int
    /// How long a lease lasts without a heartbeat.
    public var leaseSeconds: Double
    /// How often to send one.
    public var heartbeatSeconds: Double

    public init(session: Int, leaseSeconds: Double, heartbeatSeconds: Double) {
        self.session = session
        self.leaseSeconds = leaseSeconds
        self.heartbeatSeconds = heartbeatSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case session
        case leaseSeconds = "lease_seconds"
        case heartbeatSeconds = "heartbeat_seconds"
    }
}

/// `POST /worker/heartbeat`: renews every lease of the session.
public struct Heartbeat: Sendable, Codable {
    public var session: Int
    /// `"JOB.ELEMENT.ATTEMPT"` of all that the worker holds.
    public var holding: [String]
    /// One-minute load average of its machine.
    public var load: Double?
    public var slots: Int?
    /// Names of the protocols it can run now.
    public var protocols: [String]?
    public var sites: [Int]?

    public init(
        session: Int, holding: [String], load: Double? = nil, slots: Int? = nil, protocols: [String]? = nil,
        sites: [Int]? = nil
    ) {
        self.session = session
        self.holding = holding
        self.load = load
        self.slots = slots
        self.protocols = protocols
        self.sites = sites
    }
}

/// The answer to a heartbeat.
public struct HeartbeatReply: Sendable, Codable {
    /// What the worker shall stop: cancelled by its user.
    public var stop: [String]
    /// What the server does not know it to hold: its lease ended.
    public var unknown: [String]
    /// Ask for no more work.
    public var drain: Bool

    public init(stop: [String], unknown: [String], drain: Bool) {
        self.stop = stop
        self.unknown = unknown
        self.drain = drain
    }
}

extension SessionDocument: Documented {
    public static let schema = Schema.object(
        "Session",
        [
            "session": .count, "lease_seconds": .number.about("How long a lease lasts without a heartbeat"),
            "heartbeat_seconds": .number.about("How often to send one"),
        ])
}

extension HeartbeatReply: Documented {
    public static let schema = Schema.object(
        "HeartbeatReply",
        [
            "stop": Schema.list(of: .text).about("JOB.ELEMENT.ATTEMPT: cancelled"),
            "unknown": Schema.list(of: .text).about("JOB.ELEMENT.ATTEMPT: the lease is over"),
            "drain": .flag.about("Ask for no more work"),
        ])
}
