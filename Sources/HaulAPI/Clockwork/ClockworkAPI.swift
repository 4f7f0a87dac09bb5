import HaulAuth
import HaulEngine
public import HaulHTTP
import HaulModel
import HaulWire

/// The REST API of Clockwork (Mila's view of Slurm clusters) over the engine: jobs with their users' dicts, and workers as
/// nodes, below ``roots``. It keeps nothing and decides nothing.
public struct ClockworkAPI: Sendable {
    let door: Door
    var engine: Engine { door.engine }

    /// Its documentation says the first, its client asks at the second.
    static let roots = ["/api/v1/cluster", "/api/v1/clusters"]
    /// Bytes of a body; and of one that holds a dict as JSON in a form, in which a byte may be three, and a letter of two
    /// bytes eight.
    private static let bodyLimit = 64 << 10
    static let dictLimit = 4 * Engine.propertiesLimit
    /// Rows of one short read behind a stream.
    static let page = 500

    public init(_ door: Door) { self.door = door }

    /// Adds the routes to a server's router.
    public func mount(on outer: inout Router) {
        var router = Router(
            defaultBodyLimit: Self.bodyLimit,
            notFound: { _ in Self.says(404, "There is nothing at this path.") },
            methodNotAllowed: { _, allowed in
                Self.says(405, "This path takes \(allowed.joined(separator: ", ")).")
            },
            failure: { answer($0, $1.head) }, refusal: { Self.says($0, Problem.sentence($1)) })
        addJobRoutes(to: &router)
        addPropertyRoutes(to: &router)
        addNodeRoutes(to: &router)
        for root in Self.roots { outer.mount(root, router) }
    }

    /// Adds a route, given who asks and the request's parameters.
    func on(
        _ router: inout Router, _ method: String, _ pattern: String, _ scope: Scope, bodyLimit: Int? = nil,
        _ handler: @escaping @Sendable (HTTPRequest, ClockworkParameters, Principal) async throws -> HTTPResponse
    ) {
        router.on(method, pattern, bodyLimit: bodyLimit, gate: door.gate([scope]) { answer($0, $1) }) { request, _ in
            let who = try await door.principal(of: request, [scope])
            return try await handler(request, try ClockworkParameters(request), who)
        }
    }

    // MARK: Answers

    static func json(_ bytes: [UInt8], status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(bytes))
    }

    static let nothing = json(Engine.noProperties)

    /// An error as Clockwork has it: a text, in JSON.
    private static func says(_ status: Int, _ text: String) -> HTTPResponse {
        var writer = JSONWriter()
        writer.value(text)
        return json(writer.bytes, status: status)
    }

    private func answer(_ error: any Error, _ head: HTTPRequestHead) -> HTTPResponse {
        if let refusal = error as? Refusal { return Self.says(refusal.status, refusal.text) }
        let problem = door.problem(error, head)
        let status = problem.document.status
        var answer = Self.says(status, status == 401 ? "Authorization error." : problem.document.detail)
        for field in problem.headers.fields { answer.headers.set(field.name, field.value) }
        return answer
    }

    /// What this face refuses in its own words.
    struct Refusal: Error {
        var status: Int
        var text: String

        init(_ status: Int, _ text: String) { (self.status, self.text) = (status, text) }

        static func invalid(_ text: String) -> Refusal { Refusal(400, text) }
        static let noJob = Refusal(404, "Job not found in database.")
        static let notYours = Refusal(403, "This job belongs to somebody else.")
        /// The one answer of 500 that is no fault of ours: its documentation wants it so.
        static let ambiguous = Refusal(500, "Found more than one node with this name.")
    }
}
