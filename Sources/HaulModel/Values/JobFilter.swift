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
    /// Not ended, or ended then or later.
    public var endedSince: Timestamp?
    /// The site where its data is in the end: its destination, of one without its source; or ``nowhere``.
    public var placeID: Int?
    /// Where jobs are that are at no site: TASKs, and those of which nothing is known yet.
    public static let nowhere = 0
    /// Of those that failed, the ones that did so for one of these reasons.
    public var failures: Set<ErrorClass>?
    /// Ended, and this is what it ended with (``JobOutcome/code``): 0 where it is DONE and nobody said otherwise, else 1.
    public var returnCode: Int?

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
