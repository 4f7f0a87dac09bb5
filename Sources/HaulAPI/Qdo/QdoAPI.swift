import HaulAuth
import HaulEngine
public import HaulHTTP
import HaulModel
import HaulWire

/// qdo's web interface over the engine: named queues of tasks, which their users pop and report, or have workers do. It
/// keeps nothing and decides nothing.
public struct QdoAPI: Sendable {
    let door: Door
    let loginLimits: LoginLimits
    var engine: Engine { door.engine }

    /// Below this path of the server all of it stands.
    static let root = "/qdo"
    /// Bytes of a body.
    private static let bodyLimit = 1 << 20
    /// Rows of one short read behind a stream: tasks are long.
    static let page = 50

    public init(_ door: Door, loginLimits: LoginLimits = LoginLimits()) {
        self.door = door
        self.loginLimits = loginLimits
    }

    /// Adds the routes to a server's router.
    public func mount(on outer: inout Router) {
        var router = Router(
            defaultBodyLimit: Self.bodyLimit,
            notFound: { _ in Problem.nothing("There is nothing at this path.").response },
            methodNotAllowed: { Problem.methodNotAllowed($0, $1).response },
            failure: { answer($0, $1.head) })
        addSiteRoutes(to: &router)
        for user in ["/:user", "/users/:user"] {
            addQueueRoutes(to: &router, user)
            addTaskRoutes(to: &router, "\(user)/queues/:queue")
        }
        outer.mount(Self.root, router)
    }

    /// Whose queues a request is about, and who asks.
    struct Visit {
        /// The owner of the queues.
        var user: User
        var who: Principal
        var actor: Requester
    }

    typealias Handler = @Sendable (HTTPRequest, PathParameters, Visit) async throws -> HTTPResponse

    /// Adds a route that reads.
    func read(_ router: inout Router, _ pattern: String, _ handler: @escaping Handler) {
        on(&router, "GET", pattern, [.readJobs], nil, handler)
    }

    /// Adds a route that changes something.
    func write(
        _ router: inout Router, _ method: String, _ pattern: String, bodyLimit: Int? = nil, _ handler: @escaping Handler
    ) {
        on(&router, method, pattern, [.changeJobs], bodyLimit, handler)
    }

    private func on(
        _ router: inout Router, _ method: String, _ pattern: String, _ scopes: [Scope], _ bodyLimit: Int?,
        _ handler: @escaping Handler
    ) {
        let gate = door.gate(scopes) { answer($0, $1) }
        router.on(method, pattern, bodyLimit: bodyLimit, gate: gate) { request, path in
            let who = try await door.principal(of: request, scopes)
            return try await handler(request, path, try await visit(path["user"], who, request))
        }
    }

    /// - Throws: 403 for another user's queues, whether there is such a user or not; operators see everybody's.
    private func visit(_ name: String, _ who: Principal, _ request: HTTPRequest) async throws -> Visit {
        let actor = who.actor(request)
        if name == who.user.name { return Visit(user: who.user, who: who, actor: actor) }
        guard who.isOperator else { throw Problem.notYours }
        guard let user = try await engine.user(named: name) else { throw Problem.noUser(name) }
        return Visit(user: user, who: who, actor: actor)
    }

    static func json(_ value: JSONValue, status: Int = 200) -> HTTPResponse { JSONText.response(value, status: status) }

    func answer(_ error: any Error, _ head: HTTPRequestHead) -> HTTPResponse { door.problem(error, head).response }
}

extension Problem {
    static func nothing(_ detail: String) -> Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "not_found", detail: detail,
                hint: "GET \(QdoAPI.root)/USER/queues/ lists the queues."))
    }

    fileprivate static let notYours = Problem(
        ProblemDocument(
            status: 403, title: "Forbidden", code: "not_yours", detail: "The queues are somebody else's.",
            hint: "Your own stand below \(QdoAPI.root)/NAME/queues/, where NAME is yours."))
}
