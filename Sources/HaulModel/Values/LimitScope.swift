/// What elements that are with workers are counted by, so that a limit can hold them back.
public struct LimitScope: Sendable, Hashable, Comparable {
    /// The integers are stored.
    public enum Kind: Int, Sendable, Hashable, CaseIterable {
        /// Elements whose source is a site.
        case siteOut = 1
        /// Elements whose destination is a site.
        case siteIn = 2
        case queue = 3
        case user = 4
    }

    public var kind: Kind
    /// Of the site, queue or user.
    public var id: Int

    public init(_ kind: Kind, _ id: Int) {
        self.kind = kind
        self.id = id
    }

    public init(_ use: SiteUse) {
        self.init(use.direction == .into ? .siteIn : .siteOut, use.siteID)
    }

    /// The order in which rows are written: two servers that write the same ones never wait for each other in a ring.
    public static func < (one: LimitScope, other: LimitScope) -> Bool {
        (one.kind.rawValue, one.id) < (other.kind.rawValue, other.id)
    }
}
