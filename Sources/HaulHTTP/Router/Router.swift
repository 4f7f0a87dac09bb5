/// Finds the handler of a request by method and path. Knows no sockets: `respond(to:)` is a server's handler, and a
/// test's way in.
///
/// A path that has routes, but none for the method, is answered 405 with `Allow`; HEAD is answered by GET's handler; a
/// slash at the end makes no difference. Each dialect shapes its own errors.
public struct Router: Sendable {
    /// Answers a request, given what stood at the pattern's names.
    public typealias Handler = @Sendable (HTTPRequest, PathParameters) async throws -> HTTPResponse

    /// Says from the head alone, and what stood at the pattern's names, whether a request's body is read. Called on the
    /// server's thread: no waiting, but in `.ask`.
    public typealias Gate = @Sendable (HTTPRequestHead, PathParameters) -> HTTPAdmission.Gate

    private struct Mount: Sendable {
        let prefix: [String]
        let router: Router
    }

    private var tree = RouteTree()
    private var mounts: [Mount] = []
    private let defaultBodyLimit: Int
    private let defaultGate: Gate
    private let notFound: @Sendable (HTTPRequest) -> HTTPResponse
    private let methodNotAllowed: @Sendable (HTTPRequest, [String]) -> HTTPResponse
    private let failure: @Sendable (any Error, HTTPRequest) -> HTTPResponse
    private let refusal: (@Sendable (Int, String) -> HTTPResponse)?

    /// A router without routes.
    /// - Parameters:
    ///   - defaultBodyLimit: bytes that a body may have where a route says nothing.
    ///   - defaultGate: who lets a body in where a route says nothing; everyone's by default.
    ///   - notFound: answers an unknown path.
    ///   - methodNotAllowed: answers a known path with another method; is given the methods that it has, and `Allow` is
    ///     added where it is missing.
    ///   - failure: answers an error that a handler threw.
    ///   - refusal: answers what the server refuses by itself, as 413, from a status and a reason in a few words; nil: as
    ///     the router does that this one is mounted on.
    public init(
        defaultBodyLimit: Int = 1024 * 1024,
        defaultGate: @escaping Gate = { _, _ in .open },
        notFound: @escaping @Sendable (HTTPRequest) -> HTTPResponse = { _ in
            HTTPResponse(status: 404, text: "no such path\n")
        },
        methodNotAllowed: @escaping @Sendable (HTTPRequest, [String]) -> HTTPResponse = { _, _ in
            HTTPResponse(status: 405, text: "no such method here\n")
        },
        failure: @escaping @Sendable (any Error, HTTPRequest) -> HTTPResponse = { _, _ in
            HTTPResponse(status: 500, text: "the server failed\n")
        },
        refusal: (@Sendable (Int, String) -> HTTPResponse)? = nil
    ) {
        self.defaultBodyLimit = defaultBodyLimit
        self.defaultGate = defaultGate
        self.notFound = notFound
        self.methodNotAllowed = methodNotAllowed
        self.failure = failure
        self.refusal = refusal
    }

    /// Adds a route. `pattern` is a path whose segments are literal (unescaped) or `:name`, as in
    /// `/jobs/:job/elements/:element`; a literal one wins over a name.
    /// - Parameters:
    ///   - bodyLimit: bytes that a body may have; nil is the router's default.
    ///   - gate: who lets a body in; nil is the router's default. The handler must not rely on it: it is not asked about a
    ///     request without a body.
    public mutating func on(
        _ method: String, _ pattern: String, bodyLimit: Int? = nil, gate: Gate? = nil, _ handler: @escaping Handler
    ) {
        let segments = Self.segments(of: pattern)
        let names = segments.filter { $0.hasPrefix(":") }.map { String($0.dropFirst()) }
        let route = RouteTree.Route(
            pattern: "/" + segments.joined(separator: "/"), names: names, bodyLimit: bodyLimit, gate: gate,
            handler: handler)
        tree.insert(method, segments[...], route)
    }

    /// Hands every path below `prefix` that is no route of this router's own to another, with its own errors; the
    /// longest prefix wins. The mounted router sees the segments after the prefix; `path` stays whole.
    public mutating func mount(_ prefix: String, _ router: Router) {
        mounts.append(Mount(prefix: Self.segments(of: prefix), router: router))
        mounts.sort { $0.prefix.count > $1.prefix.count }
    }

    /// Every route as its method and its whole pattern, in no order.
    public var routes: [(method: String, pattern: String)] {
        tree.all
            + mounts.flatMap { mount in
                let prefix = mount.prefix.map { "/" + $0 }.joined()
                return mount.router.routes.map { ($0.method, prefix + $0.pattern) }
            }
    }

    /// Answers a request.
    public func respond(to request: HTTPRequest) async -> HTTPResponse {
        let found = tree.matches(request.pathSegments[...])
        if let (route, parameters) = Self.route(for: request.method, in: found) {
            do {
                return try await route.handler(request, parameters)
            } catch {
                return failure(error, request)
            }
        }
        if !found.isEmpty { return refuseMethod(request, found) }
        guard let mount = mounted(at: request.pathSegments) else { return notFound(request) }
        var inner = request
        inner.pathSegments.removeFirst(mount.prefix.count)
        return await mount.router.respond(to: inner)
    }

    /// Whether the body of this request is read, and how long it may be: a server's head hook. Where no route is, the
    /// answer is there already.
    public func admission(of head: HTTPRequestHead) -> HTTPAdmission {
        let found = tree.matches(head.pathSegments[...])
        if let (route, parameters) = Self.route(for: head.method, in: found) {
            return HTTPAdmission(
                bodyLimit: route.bodyLimit ?? defaultBodyLimit, gate: (route.gate ?? defaultGate)(head, parameters))
        }
        let request = HTTPRequest(head: head)
        if !found.isEmpty { return HTTPAdmission(bodyLimit: 0, gate: .shut(refuseMethod(request, found))) }
        guard let mount = mounted(at: head.pathSegments) else {
            return HTTPAdmission(bodyLimit: 0, gate: .shut(notFound(request)))
        }
        var inner = head
        inner.pathSegments.removeFirst(mount.prefix.count)
        return mount.router.admission(of: inner)
    }

    /// How the dialect at a head's path says what the server refuses by itself; nil: as the server does.
    public func refusal(_ status: Int, _ reason: String, of head: HTTPRequestHead) -> HTTPResponse? {
        if tree.matches(head.pathSegments[...]).isEmpty, let mount = mounted(at: head.pathSegments) {
            var inner = head
            inner.pathSegments.removeFirst(mount.prefix.count)
            if let answer = mount.router.refusal(status, reason, of: inner) { return answer }
        }
        return refusal?(status, reason)
    }

    private func refuseMethod(
        _ request: HTTPRequest, _ found: [(tree: RouteTree, values: [String])]
    ) -> HTTPResponse {
        var methods = Set(found.flatMap { $0.tree.routes.keys })
        if methods.contains("GET") { methods.insert("HEAD") }
        let allowed = methods.sorted()
        var response = methodNotAllowed(request, allowed)
        if response.headers["Allow"] == nil { response.headers.set("Allow", allowed.joined(separator: ", ")) }
        return response
    }

    private func mounted(at segments: [String]) -> Mount? {
        mounts.first { segments.starts(with: $0.prefix) }
    }

    private static func route(
        for method: String, in found: [(tree: RouteTree, values: [String])]
    ) -> (RouteTree.Route, PathParameters)? {
        for method in method == "HEAD" ? ["HEAD", "GET"] : [method] {
            for (tree, values) in found {
                guard let route = tree.routes[method] else { continue }
                let parameters = Dictionary(zip(route.names, values)) { _, last in last }
                return (route, PathParameters(parameters))
            }
        }
        return nil
    }

    private static func segments(of pattern: String) -> [String] {
        pattern.split(separator: "/").map(String.init)
    }
}
