/// Routes by the segments of their patterns; a literal segment is preferred to a named one.
struct RouteTree: Sendable {
    struct Route: Sendable {
        let pattern: String
        let names: [String]
        let bodyLimit: Int?
        let gate: Router.Gate?
        let handler: Router.Handler
    }

    private var literals: [String: RouteTree] = [:]
    private var named: [RouteTree] = []
    private(set) var routes: [String: Route] = [:]

    /// Puts a route at a pattern's segments; the same method and pattern again replaces it.
    mutating func insert(_ method: String, _ segments: ArraySlice<String>, _ route: Route) {
        guard let first = segments.first else {
            routes[method] = route
            return
        }
        if first.hasPrefix(":") {
            var child = named.first ?? RouteTree()
            child.insert(method, segments.dropFirst(), route)
            named = [child]
        } else {
            literals[first, default: RouteTree()].insert(method, segments.dropFirst(), route)
        }
    }

    /// The routes of a path with what stood at its names, the most literal first.
    func matches(_ segments: ArraySlice<String>, _ values: [String] = []) -> [(tree: RouteTree, values: [String])] {
        guard let first = segments.first else { return routes.isEmpty ? [] : [(self, values)] }
        let literal = literals[first]?.matches(segments.dropFirst(), values) ?? []
        // An empty segment names nothing.
        let rest = first.isEmpty ? [] : named.flatMap { $0.matches(segments.dropFirst(), values + [first]) }
        return literal + rest
    }

    /// Every route as its method and pattern, in no order.
    var all: [(method: String, pattern: String)] {
        routes.map { ($0, $1.pattern) } + literals.values.flatMap(\.all) + named.flatMap(\.all)
    }
}
