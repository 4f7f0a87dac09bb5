/// What narrows a list of jobs; nil narrows nothing.
public struct JobFilter: Sendable, Hashable {
    public var userID: Int?
    public var status: Status?
    public var type: JobType?
    public var queue: String?
    /// The site that is source or destination.
    public var siteID: Int?
    /// Changed then or later.
    public var since: Timestamp?
    /// At one of these stages.
    public var stages: Set<JobStage>?
    /// Registered later than that.
    public var registeredAfter: Timestamp?

    public init(
        userID: Int? = nil, status: Status? = nil, type: JobType? = nil, queue: String? = nil, siteID: Int? = nil,
        since: Timestamp? = nil
    ) {
        self.userID = userID
        self.status = status
        self.type = type
        self.queue = queue
        self.siteID = siteID
        self.since = since
    }
}
