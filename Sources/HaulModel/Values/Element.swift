/// The unit of work that is handed out: one listing, one file, one directory.
public struct Element: Sendable, Hashable {
    public var jobID: Int
    /// From 0 within its job.
    public var id: Int
    public var type: JobType
    public var phase: Phase
    public var sourcePath: String
    /// COPY and RENAME only.
    public var destinationPath: String?
    /// Bytes; 0 until known.
    public var size: Int
    /// For the directories of a REMOVE: components below the job's source, which is 0.
    public var depth: Int
    public var maxTries: Int
    /// Attempts that ended.
    public var attempts: Int
    /// Of those, the ones that cost no try: leases lost before any progress, and failed
    /// attempts to see whether a site is there again.
    public var forgiven: Int
    /// Of those, the ones that a user took back, or never came back with, or that a worker gave back because it was told to
    /// end: nobody is to blame for them.
    public var returned = 0
    /// In phase `delayed`: when it may be handed out again.
    public var notBefore: Timestamp?
    /// Why the latest attempt, or the element without an attempt, failed.
    public var errorClass: ErrorClass?
    public var reason: String?
    /// Its user wants no more of it; who runs it is told to stop.
    public var isUnwanted = false
    /// Raised with every change.
    public var revision = 1
    public var changed: Timestamp

    public init(
        jobID: Int, id: Int, type: JobType, phase: Phase, sourcePath: String, destinationPath: String? = nil,
        size: Int = 0, depth: Int = 0, maxTries: Int, attempts: Int = 0, forgiven: Int = 0,
        notBefore: Timestamp? = nil, errorClass: ErrorClass? = nil, reason: String? = nil, changed: Timestamp
    ) {
        self.jobID = jobID
        self.id = id
        self.type = type
        self.phase = phase
        self.sourcePath = sourcePath
        self.destinationPath = destinationPath
        self.size = size
        self.depth = depth
        self.maxTries = maxTries
        self.attempts = attempts
        self.forgiven = forgiven
        self.notBefore = notBefore
        self.errorClass = errorClass
        self.reason = reason
        self.changed = changed
    }

    /// Tries that count against `maxTries`.
    public var tries: Int { attempts - forgiven }

    public var status: Status { phase.status(attempts: attempts) }
}
