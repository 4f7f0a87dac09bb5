import HaulModel
import HaulStore

/// What is open to claims at one moment: sites that are not closed, limits that leave room, breakers that let through.
/// Bans and breakers are read once, counts when they are asked for.
final class Gates {
    /// What leaves no room for a lane.
    enum Hindrance: Hashable {
        /// As many elements as may be are with workers.
        case limit(LimitScope, of: Int, out: Int)
        /// Nothing is handed out before its time, and until then one element tries.
        case breaker(Breaker)
    }

    private let reader: StoreReader
    private let sites: SiteDirectory
    private let users: UserLimitRules
    private let now: Timestamp
    /// Priorities of which something waits, the first to be served first.
    let priorities: [Int]
    private let banned: Set<Int>
    private let breakers: [Breaker.Key: Breaker]
    /// Elements with workers, those that this claim took among them.
    private var counts: [LimitScope: Int] = [:]
    private var limitsOfLanes: [Int: [(scope: LimitScope, limit: Int)]] = [:]
    /// Breakers of which this claim took the element that tries.
    private var probed: Set<Breaker.Key> = []

    convenience init(_ reader: StoreReader, _ engine: Engine, now: Timestamp) throws {
        let (bans, breakers, priorities) = try reader.answers(to: Ask.bans, Ask.breakers, Ask.prioritiesWithWork)
        self.init(reader, engine, now: now, bans, breakers, priorities: priorities)
    }

    /// - Parameter bans: as they stand now, as do breakers and priorities.
    init(
        _ reader: StoreReader, _ engine: Engine, now: Timestamp, _ bans: [Ban], _ breakers: [Breaker.Key: Breaker],
        priorities: [Int]
    ) {
        self.reader = reader
        sites = engine.rules.sites
        users = engine.configuration.limits
        self.now = now
        banned = Set(bans.map(\.siteID))
        self.breakers = breakers
        self.priorities = priorities
    }

    /// Elements that may be taken of a lane now, at most so many. A COPY waits until there is room at both its sites.
    func room(_ lane: Lane, most: Int) throws -> Int {
        guard banned.isDisjoint(with: lane.places) else { return 0 }
        var room = most
        for key in lane.breakerKeys {
            guard let breaker = breakers[key], breaker.isOpen else { continue }
            guard !breaker.isShut(at: now), !probed.contains(key) else { return 0 }
            room = min(room, 1)
        }
        for (scope, limit) in limits(lane) where room > 0 {
            room = min(room, max(0, limit - (try count(scope))))
        }
        return room
    }

    func isOpen(_ lane: Lane) throws -> Bool { try room(lane, most: 1) > 0 }

    /// What leaves no room for a lane: all of it.
    func hindrances(_ lane: Lane) throws -> [Hindrance] {
        var found: [Hindrance] = []
        for key in lane.breakerKeys {
            guard let breaker = breakers[key], breaker.isShut(at: now) else { continue }
            found.append(.breaker(breaker))
        }
        for (scope, limit) in limits(lane) where try count(scope) >= limit {
            found.append(.limit(scope, of: limit, out: try count(scope)))
        }
        return found
    }

    /// Notes that an element of a lane was taken.
    func take(_ type: JobType, of lane: Lane) throws {
        let limits = limits(lane)
        guard !limits.isEmpty || !breakers.isEmpty else { return }
        let uses = SiteUse.all(
            of: type, in: lane.type, source: lane.sourceSiteID, destination: lane.destinationSiteID)
        let scopes = Set(
            uses.map { LimitScope($0) } + [LimitScope(.queue, lane.queueID), LimitScope(.user, lane.userID)])
        for (scope, _) in limits where scopes.contains(scope) { counts[scope] = try count(scope) + 1 }
        for key in Breaker.Key.all(SiteUse.sites(uses)) where breakers[key]?.isOpen == true { probed.insert(key) }
    }

    private func count(_ scope: LimitScope) throws -> Int {
        if let count = counts[scope] { return count }
        let count = try reader.occupancy(scope)
        counts[scope] = count
        return count
    }

    /// The limits under which a lane's elements stand.
    private func limits(_ lane: Lane) -> [(scope: LimitScope, limit: Int)] {
        if let known = limitsOfLanes[lane.id] { return known }
        var found = SiteUse.all(
            of: lane.type, in: lane.type, source: lane.sourceSiteID, destination: lane.destinationSiteID
        ).compactMap { use in sites[use.siteID]?.limits[use.direction].map { (LimitScope(use), $0) } }
        if let limit = lane.queueLimit { found.append((LimitScope(.queue, lane.queueID), limit)) }
        if let limit = users.of(lane.user).running { found.append((LimitScope(.user, lane.userID), limit)) }
        limitsOfLanes[lane.id] = found
        return found
    }
}

extension Lane {
    /// By which breakers its elements are held back.
    var breakerKeys: [Breaker.Key] {
        Breaker.Key.all(
            SiteUse.sites(
                SiteUse.all(of: type, in: type, source: sourceSiteID, destination: destinationSiteID)))
    }
}
