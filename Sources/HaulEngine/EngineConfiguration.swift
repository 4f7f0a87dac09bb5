public import HaulModel

/// The numbers by which an engine works.
public struct EngineConfiguration: Sendable {
    /// How long a lease lasts without a heartbeat, in seconds.
    public var leaseSeconds: Double = 60
    /// How often a worker shall send one, in seconds.
    public var heartbeatSeconds: Double = 15
    /// How long the lease of a claim without a session lasts, in seconds.
    public var sessionlessLeaseSeconds: Double = 6 * 3600
    public var retry = RetryPolicy()
    /// When a site counts as down, and for how long.
    public var breaker = BreakerPolicy()
    /// How much of the service each user may take.
    public var limits = UserLimitRules()
    /// Elements that a user without a limit of their own may have with workers at once; nil is any number.
    public var runningPerUser: Int? {
        get { limits.usual.running }
        set { limits.usual.running = newValue }
    }
    /// Elements that a user who was away, or is new, gets before those who were served meanwhile.
    public var fairnessCredit = 20
    /// Jobs of a user that are registered and not committed, at most.
    public var draftsPerUser = 1000
    /// How long an idempotency key is remembered, in seconds.
    public var idempotencySeconds: Double = 24 * 3600
    /// How long a job stays after its end, in seconds; nil is for ever.
    public var keptSeconds: Double? = 90 * 24 * 3600
    /// How long the row of a session stays after its last lease, in seconds.
    public var endedSessionSeconds: Double = 3600
    /// How long a worker that is not heard of is remembered, in seconds.
    public var unseenWorkerSeconds: Double = 30 * 24 * 3600
    /// How long a server that can't be reached may be silent before another takes over what it held, in seconds.
    public var serverSilenceSeconds: Double = 30
    /// How long a server that is not heard of is remembered, in seconds.
    public var unseenServerSeconds: Double = 30 * 24 * 3600
    /// How long a line of the record of changes stays, in seconds; nil is for ever.
    public var recordedSeconds: Double? = 365 * 24 * 3600
    /// How long it is remembered how a launched worker ended, in seconds.
    public var endedLaunchSeconds: Double = 24 * 3600
    /// Elements in one transaction of an expansion.
    public var expansionPiece = 1000
    /// Elements in one transaction of a duty.
    public var dutyPiece = 200

    public init() {}
}
