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
        case siteBanned = "site_banned"
        /// No worker has a session.
        case noWorker = "no_worker"
        case noWorkerForProtocol = "no_worker_for_protocol"
        case noWorkerForSite = "no_worker_for_site"
        case workersDrained = "workers_drained"
        /// It waits for its turn.
        case waitsForTurn = "waits_for_turn"
    }

    public var blockers: [Blocker]
    /// Elements that are handed out before its next one, at least; nil where none of it waits for its turn.
    public var ahead: Int?

    public init(blockers: [Blocker], ahead: Int? = nil) {
        self.blockers = blockers
        self.ahead = ahead
    }
}
