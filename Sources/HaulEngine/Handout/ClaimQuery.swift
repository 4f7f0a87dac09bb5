public import HaulModel
import HaulStore

/// What a worker asks for.
public struct ClaimQuery: Sendable {
    /// How much one claim gives.
    public enum Measure: Sendable, Hashable {
        /// At most so many elements.
        case number(Int)
        /// Elements up to so many bytes together, but at least one.
        case size(Int)

        /// Elements that it may come to.
        var mostElements: Int {
            switch self {
            case .number(let count): min(count, ClaimQuery.limit)
            case .size: ClaimQuery.limit
            }
        }
    }

    /// Elements that no claim passes, whatever it asks for.
    public static let limit = 1000

    /// Types of jobs.
    public var types: Set<JobType>
    /// Nil is what the session announced, or all.
    public var protocols: Set<ProtocolName>?
    /// Nil is what the session announced, or all.
    public var sites: Set<Int>?
    /// Nil for a worker of the documented system: the claim makes a session of its own.
    public var session: Int?
    public var measure: Measure
    /// Who asks.
    public var bearer: TokenRecord
    /// What a claim without a session is known as in attempts and logs.
    public var host: String
    /// Its worker gets no more work.
    private(set) var isDrained = false

    public init(
        types: Set<JobType>, protocols: Set<ProtocolName>?, sites: Set<Int>?, session: Int?, measure: Measure,
        bearer: TokenRecord, host: String
    ) {
        self.types = types
        self.protocols = protocols
        self.sites = sites
        self.session = session
        self.measure = measure
        self.bearer = bearer
        self.host = host
    }

    /// The query with what its worker announced in the place of what it leaves out.
    func completed(by claimant: Claimant?) -> ClaimQuery {
        guard let claimant else { return self }
        var result = self
        result.isDrained = claimant.isDrained
        guard let announced = claimant.protocols else { return result }
        result.protocols = protocols ?? Set(announced.compactMap { ProtocolName(text: $0) })
        result.sites = sites ?? (claimant.sites.isEmpty ? nil : Set(claimant.sites))
        return result
    }

    /// Visits lanes that are open and whose elements this worker may have and can run, while `body` wants more: by
    /// priority, then the users who were given least first, of each of these first what is left of nearly finished jobs,
    /// the oldest first, then all of a lane, those first that were served longest ago. What is not visited is not read,
    /// but for the rest of a page.
    ///
    /// - Parameter body: told of a lane, and for which nearly finished jobs alone; nil is all of it.
    /// - Returns: true when a lane was passed that is open to others.
    @discardableResult
    func visitLanes(
        _ reader: StoreReader, sites: SiteDirectory, _ gates: Gates, _ body: (Lane, [TailJob]?) throws -> Bool
    ) throws -> Bool {
        var isOpenToOthers = false
        for priority in gates.priorities {
            for user in try reader.usersWithWork(priority: priority) {
                let lanes = try LanePages(reader, user: user, priority: priority, withTails: !isDrained)
                if !isDrained, lanes.mayHave({ admits($0, sites: sites) }) {
                    let goesOn = try lanes.visitTails { lane, tails in
                        guard admits(lane, sites: sites), try gates.isOpen(lane) else { return true }
                        return try body(lane, tails)
                    }
                    guard goesOn else { return isOpenToOthers }
                }
                let goesOn = try lanes.visit { lane in
                    guard !isDrained, admits(lane, sites: sites) else {
                        if !isOpenToOthers { isOpenToOthers = try gates.isOpen(lane) }
                        return !isDrained || !isOpenToOthers
                    }
                    return try gates.isOpen(lane) ? try body(lane, nil) : true
                }
                guard goesOn else { return isOpenToOthers }
            }
        }
        return isOpenToOthers
    }

    /// True for elements that this worker may have and can run.
    func admits(_ lane: Lane, sites directory: SiteDirectory) -> Bool {
        guard types.contains(lane.type) else { return false }
        let places = lane.places
        let needed = lane.neededProtocols(directory)
        if session == nil && !needed.isSubset(of: ProtocolName.documented) { return false }
        if let protocols, !needed.isSubset(of: protocols) { return false }
        if let sites, !sites.isSuperset(of: places) { return false }
        if let allowed = bearer.spec.sites, !Set(allowed).isSuperset(of: places) { return false }
        if let allowed = bearer.spec.queues, !allowed.contains(lane.queue) { return false }
        if let allowed = bearer.spec.users, !allowed.contains(lane.user) { return false }
        return true
    }
}

extension Lane {
    /// The sites that its elements touch.
    var places: [Int] { [sourceSiteID] + (destinationSiteID.map { [$0] } ?? []) }

    /// The protocols that a worker needs: the job's; and the destination's own, where the job goes by its sites'.
    func neededProtocols(_ sites: SiteDirectory) -> Set<ProtocolName> {
        guard let destinationSiteID, let destination = sites[destinationSiteID],
            sites[sourceSiteID]?.protocolName == protocolName
        else { return [protocolName] }
        return [protocolName, destination.protocolName]
    }
}

/// A job with the elements of it that a claim gave.
public struct Handout: Sendable {
    public var job: Job
    public var source: Site?
    public var destination: Site?
    public var items: [Item]
    public var leaseUntil: Timestamp

    public struct Item: Sendable {
        public var element: Element
        /// The number of the attempt.
        public var attempt: Int
        /// Proves the lease.
        public var token: String
    }
}
