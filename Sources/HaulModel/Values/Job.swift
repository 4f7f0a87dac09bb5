/// What a user registered, with the counts of its elements.
public struct Job: Sendable, Hashable {
    public var id: Int
    public var userID: Int
    /// The name of the user's queue.
    public var queue: String
    public var type: JobType
    public var protocolName: ProtocolName
    public var status: Status
    public var source: Place
    /// COPY and RENAME only.
    public var destination: Place?
    public var options: [String: JSONValue]
    /// 0 to 9; 0 is served first.
    public var priority: Int
    /// Tries of each element, 1 to 100.
    public var maxTries: Int
    /// The user's own words for it.
    public var label: String?
    /// When what has not ended fails.
    public var deadline: Timestamp?
    /// Names the folder of its logs: 32 hexadecimal digits.
    public var logUID: String
    public var registered: Timestamp
    /// When anything of it last changed.
    public var changed: Timestamp
    public var counts: StatusCounts
    /// It is not forgotten after the time for which ended jobs are kept.
    public var isKept = false
    /// Raised with every change of the job or of one of its elements.
    public var revision = 1
    /// What was asked, where it was registered first and committed later.
    public var draft: JobDraft?
    /// False until what was asked was found to be a job that can be run: its type, places and options count for nothing.
    public var isSound = true
    /// When the first of it was handed out; a retry of the whole job takes it back.
    public var started: Timestamp?
    public var ended: Timestamp?
    /// Why the last of its elements that failed did so, since it began; nil where none failed.
    public var errorClass: ErrorClass?
    /// The element that ``errorClass`` is of; nil where there is none, or the job failed as a whole.
    public var culprit: Int?
    /// Seconds from its start after which it is cancelled; 0 is any number.
    public var executionSeconds = 0
    /// When it is cancelled, and then removed with all that there is of it.
    public var destruction: Timestamp?

    /// Of a TASK what there is to do; of others the words in which they were asked for, where there are any.
    public var task: String? { draft?.document[JobRequest.taskName]?.string }

    /// Where it stands in the eyes of the other faces.
    public var stage: JobStage { JobMachine.stage(status, hasStarted: started != nil) }

    public init(
        id: Int, userID: Int, queue: String, type: JobType, protocolName: ProtocolName, status: Status, source: Place,
        destination: Place?, options: [String: JSONValue], priority: Int, maxTries: Int, label: String?,
        deadline: Timestamp? = nil, logUID: String, registered: Timestamp, changed: Timestamp, counts: StatusCounts
    ) {
        self.id = id
        self.userID = userID
        self.queue = queue
        self.type = type
        self.protocolName = protocolName
        self.status = status
        self.source = source
        self.destination = destination
        self.options = options
        self.priority = priority
        self.maxTries = maxTries
        self.label = label
        self.deadline = deadline
        self.logUID = logUID
        self.registered = registered
        self.changed = changed
        self.counts = counts
    }

    /// A path at a site.
    public struct Place: Sendable, Hashable {
        public var siteID: Int
        /// As the user wrote it.
        public var path: String

        public init(siteID: Int, path: String) {
            self.siteID = siteID
            self.path = path
        }

        /// Where a TASK is.
        public static let nowhere = Place(siteID: -1, path: "")
    }
}

/// How many elements of a job have each status.
public struct StatusCounts: Sendable, Hashable {
    public var new = 0
    public var done = 0
    public var failed = 0
    public var submitted = 0
    public var running = 0
    public var cancelled = 0

    public init() {}

    public var total: Int { new + done + failed + submitted + running + cancelled }

    public subscript(status: Status) -> Int {
        get {
            switch status {
            case .new: new
            case .done: done
            case .failed: failed
            case .submitted: submitted
            case .running: running
            case .cancelled: cancelled
            }
        }
        set {
            switch status {
            case .new: new = newValue
            case .done: done = newValue
            case .failed: failed = newValue
            case .submitted: submitted = newValue
            case .running: running = newValue
            case .cancelled: cancelled = newValue
            }
        }
    }
}
