/// A worker that is there: it has a live session, or holds leases of claims without one.
public struct LiveWorker: Sendable, Hashable {
    /// What its token is restricted to.
    public var bearer: TokenRecord
    /// Nil for a worker of the documented system, which registers nowhere.
    public var announced: Announcement?

    public struct Announcement: Sendable, Hashable {
        public var name: String
        /// By name.
        public var protocols: [String]
        /// Ids; empty is all.
        public var sites: [Int]
        /// It gets no more work.
        public var isDrained: Bool

        public init(name: String, protocols: [String], sites: [Int], isDrained: Bool) {
            self.name = name
            self.protocols = protocols
            self.sites = sites
            self.isDrained = isDrained
        }
    }

    public var name: String { announced?.name ?? bearer.user.name }

    public init(bearer: TokenRecord, announced: Announcement?) {
        self.bearer = bearer
        self.announced = announced
    }
}
