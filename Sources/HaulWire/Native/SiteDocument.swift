public import HaulModel

/// A site (`GET /sites`). What stands below `limits` is shown to operators and to who made it.
public struct SiteDocument: Sendable, Hashable, Codable {
    public var id: Int
    public var name: String
    public var `protocol`: String
    /// Why nothing from or to it is handed out; left out where it is open.
    public var banned: String?
    /// How many elements may be with workers at once, `in` (as their destination) and `out` (as their source); left out
    /// where it has none.
    public var limits: [String: Int]?
    /// `HOST:PORT`.
    public var endpoints: [String]?
    /// What its protocol wants to know of it.
    public var options: [String: JSONValue]?
    /// The topmost path as jobs name it, which a REMOVE spares unless confirmed.
    public var root: String?
    /// The user who made it; left out where it is the operators'.
    public var owner: String?
    /// Who may name it in jobs; left out, both of them, where everybody may, or the owner alone.
    public var users: [String]?
    public var groups: [String]?

    /// - Parameter isWhole: the reader may see all of it.
    public init(_ site: Site, banned: String?, isWhole: Bool) {
        id = site.id
        name = site.name
        self.protocol = site.protocolName.name
        self.banned = banned
        let limits = SiteUse.Direction.allCases.compactMap { way in site.limits[way].map { (way.rawValue, $0) } }
        self.limits = limits.isEmpty ? nil : Dictionary(uniqueKeysWithValues: limits)
        guard isWhole else { return }
        endpoints = site.endpoints
        options = site.options
        root = site.root
        owner = site.access.owner
        users = site.access.users
        groups = site.access.groups
    }
}

extension SiteDocument: Documented {
    public static let schema = Schema.object(
        "Site",
        [
            "id": .count, "name": .text, "protocol": .text,
            "banned?": .text.about("Why nothing from or to it is handed out"),
            "limits?": Schema.object(["in?": .count, "out?": .count]).about("Elements with workers at once"),
            "endpoints?": Schema.list(of: .text).about("HOST:PORT; this and what follows for operators and its owner"),
            "options?": .values, "root?": .text, "owner?": .text.about("The user who made it"),
            "users?": Schema.list(of: .text).about("Who may use it; without, and without groups, everybody"),
            "groups?": .list(of: .text),
        ])
}
