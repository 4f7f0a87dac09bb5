/// Why a job, or an element of it, is not further than it is: what stands in its way, each by a word that programs can
/// compare.
public struct Explanation: Sendable, Hashable {
    public struct Blocker: Sendable, Hashable {
        public var code: Code
        /// For people.
        public var detail: String
        /// When it goes away by itself.
        public var until: Timestamp?

        public init(_ code: Code, _ detail: String, until: Timestamp? = nil) {
            self.code = code
            self.detail = detail
            self.until = until
        }
    }

    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// Nothing stands in its way: it has ended.
        case ended
        /// It is not committed.
        case uncommitted
        /// Nothing stands in its way: it is with a worker.
        case running
        case cancelling
        /// Failed elements are being made ready again.
        case retrying
        /// Its listing is being turned into elements.
        case expanding
        /// It waits between two tries.
        case backoff
        /// A directory of a REMOVE waits for what is below it.
        case waitsForChildren = "waits_for_children"
        case queuePaused = "queue_paused"
        /// Nothing of its queue goes to workers, or it is a TASK: who pops it does it.
        case poppedAlone = "popped_alone"
        /// Nothing stands in its way: somebody popped it.
        case popped
        case siteBanned = "site_banned"
        /// As many elements as may be are with workers: of a site, of the queue, of the user.
        case siteLimit = "site_limit"
        case queueLimit = "queue_limit"
        case userLimit = "user_limit"
        /// A site, or the way between two, failed too often in a row; it is tried again.
        case siteDown = "site_down"
        /// No worker has a session, nor a lease without one.
        case noWorker = "no_worker"
        case noWorkerForProtocol = "no_worker_for_protocol"
        case noWorkerForSite = "no_worker_for_site"
        /// The tokens of all that could are restricted to other users, or other queues.
        case noWorkerForUser = "no_worker_for_user"
        case noWorkerForQueue = "no_worker_for_queue"
        case workersDrained = "workers_drained"
        /// What its user shows at a site has no time left: attempts there fail.
        case credentialExpired = "credential_expired"
        /// It has less time left than the job may take.
        case credentialExpires = "credential_expires"
        /// It waits for its turn.
        case waitsForTurn = "waits_for_turn"
    }

    public var blockers: [Blocker]
    /// Elements that are handed out before its next one, at least; nil where none of it waits for its turn.
    public var ahead: Int?
    /// Nil where nothing is known to go by.
    public var estimate: Estimate?

    /// When it goes on, reckoned from what was seen of late.
    public struct Estimate: Sendable, Hashable {
        /// When its next element is handed out; nil where none waits.
        public var starts: Timestamp?
        /// When its last element ends; nil while it is not known how many there are.
        public var ends: Timestamp?
        /// For people: what it was reckoned from.
        public var basis: String

        public init(starts: Timestamp?, ends: Timestamp?, basis: String) {
            self.starts = starts
            self.ends = ends
            self.basis = basis
        }
    }

    public init(blockers: [Blocker], ahead: Int? = nil, estimate: Estimate? = nil) {
        self.blockers = blockers
        self.ahead = ahead
        self.estimate = estimate
    }
}
