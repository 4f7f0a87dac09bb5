import HaulHTTP

/// A router whose every route is described: what is added here stands in `/openapi.json`, and nothing else does.
struct Routes {
    /// What was added.
    struct Entry: Sendable {
        var method: String
        /// Below the root, as the router has it: `/jobs/:job`.
        var pattern: String
        var route: Route
        /// Bytes.
        var bodyLimit: Int
    }

    private(set) var router: Router
    private(set) var entries: [Entry] = []
    private let bodyLimit: Int
    private let gate: (Route.Access) -> Router.Gate

    /// - Parameters:
    ///   - router: without routes; answers what no route does.
    ///   - bodyLimit: bytes that a body may have where a route says nothing.
    ///   - gate: lets in the bodies of those who may.
    init(_ router: Router, bodyLimit: Int, gate: @escaping (Route.Access) -> Router.Gate) {
        self.router = router
        self.bodyLimit = bodyLimit
        self.gate = gate
    }

    /// Adds a route: see `Router.on`. Its handler still asks who it is that asks.
    mutating func on(
        _ method: String, _ pattern: String, _ route: Route, bodyLimit: Int? = nil, _ handler: @escaping Router.Handler
    ) {
        let limit = bodyLimit ?? self.bodyLimit
        entries.append(Entry(method: method, pattern: pattern, route: route, bodyLimit: limit))
        router.on(method, pattern, bodyLimit: limit, gate: gate(route.access), handler)
    }
}
