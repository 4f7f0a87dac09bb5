/// One of the two parts that a site can have in an element.
public struct SiteUse: Sendable, Hashable {
    public enum Direction: String, Sendable, Hashable, CaseIterable {
        /// It is the element's destination.
        case into = "in"
        /// It is the element's source.
        case out
    }

    public var siteID: Int
    public var direction: Direction

    public init(_ siteID: Int, _ direction: Direction) {
        self.siteID = siteID
        self.direction = direction
    }

    /// The sites of some uses, each once, in their order.
    public static func sites(_ uses: [SiteUse]) -> [Int] {
        uses.reduce(into: []) { sites, use in if !sites.contains(use.siteID) { sites.append(use.siteID) } }
    }

    /// Where an element acts: a COPY at both sites of its job, all else at one. A LIST, REMOVE, RENAME or MKDIR acts at
    /// its job's source; only the directories that a COPY makes are made at its destination. A TASK acts
    /// nowhere.
    public static func all(of type: JobType, in job: JobType, source: Int, destination: Int?) -> [SiteUse] {
        if job == .task { return [] }
        guard job == .copy, let destination else { return [SiteUse(source, .out)] }
        switch type {
        case .copy: return [SiteUse(source, .out), SiteUse(destination, .into)]
        case .mkdir: return [SiteUse(destination, .into)]
        case .list, .remove, .rename: return [SiteUse(source, .out)]
        case .task: return []
        }
    }
}

extension Job {
    /// Where an element of this job acts.
    public func uses(by type: JobType) -> [SiteUse] {
        SiteUse.all(of: type, in: self.type, source: source.siteID, destination: destination?.siteID)
    }
}
