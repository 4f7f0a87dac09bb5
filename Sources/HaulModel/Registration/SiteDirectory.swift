/// The sites that jobs may name, by id or by name.
public struct SiteDirectory: Sendable, Hashable {
    public let sites: [Site]
    private let byID: [Int: Site]
    private let byName: [String: Site]

    public init(_ sites: [Site]) {
        self.sites = sites
        byID = Dictionary(sites.map { ($0.id, $0) }) { first, _ in first }
        byName = Dictionary(sites.map { ($0.name, $0) }) { first, _ in first }
    }

    public subscript(id: Int) -> Site? { byID[id] }

    /// A site given by its id, or by its name. A name that looks like a number is an id.
    public func site(_ text: String) -> Site? {
        if let id = Int(id: text) { return byID[id] }
        return byName[text]
    }
}
