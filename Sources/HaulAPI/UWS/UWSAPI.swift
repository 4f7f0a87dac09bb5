import HaulAuth
import HaulEngine
public import HaulHTTP
import HaulModel
import HaulWire

/// The Universal Worker Service 1.1 (IVOA recommendation of 2016-10-24) over the engine: a job list a type of job below
/// ``UWSList/root``. It keeps nothing and decides nothing.
public struct UWSAPI: Sendable {
    let door: Door
    var engine: Engine { door.engine }

    /// Bytes of a form.
    private static let bodyLimit = 1 << 20
    /// Rows of one short read behind a stream.
    static let page = 500

    public init(_ door: Door) { self.door = door }

    /// Adds the routes to a server's router.
    public func mount(on outer: inout Router) {
        var router = Router(
            defaultBodyLimit: Self.bodyLimit,
            notFound: { _ in Self.text(404, "There is nothing at this path.") },
            methodNotAllowed: { request, allowed in
                var answer = Self.text(405, "This path takes \(allowed.joined(separator: ", ")).")
                answer.headers.set("Allow", allowed.joined(separator: ", "))
                return answer
            },
            failure: { answer($0, $1.head) }, refusal: { Self.text($0, Problem.sentence($1)) })
        addListRoutes(to: &router)
        addJobRoutes(to: &router)
        addResultRoutes(to: &router)
        outer.mount(UWSList.root, router)
    }

    /// Adds a route that reads.
    func read(
        _ router: inout Router, _ pattern: String,
        _ handler: @escaping @Sendable (HTTPRequest, PathParameters, Principal) async throws -> HTTPResponse
    ) {
        router.on("GET", pattern, gate: door.gate([.readJobs]) { answer($0, $1) }) { request, path in
            try await handler(request, path, try await door.principal(of: request, [.readJobs]))
        }
    }

    /// Adds a route that changes something.
    func write(
        _ router: inout Router, _ method: String, _ pattern: String,
        _ handler: @escaping @Sendable (HTTPRequest, PathParameters, Principal) async throws -> HTTPResponse
    ) {
        router.on(method, pattern, gate: door.gate([.changeJobs]) { answer($0, $1) }) { request, path in
            try await handler(request, path, try await door.principal(of: request, [.changeJobs]))
        }
    }

    // MARK: What the path names

    func list(_ path: PathParameters) throws -> UWSList {
        guard let list = UWSList(path["list"]) else { throw Refusal.noList }
        return list
    }

    /// The job that the path names.
    ///
    /// - Throws: 404 for one that is not in the list, 403 for somebody else's.
    func job(_ path: PathParameters, _ who: Principal) async throws -> Job {
        let list = try list(path)
        guard let id = Int(id: path["job"]), let job = try await engine.job(id), list.holds(job) else {
            throw Refusal.noJob
        }
        guard who.mayRead(job) else { throw Refusal.notYours }
        return job
    }

    /// Its absolute URL, as the client sees the server.
    func url(_ request: HTTPRequest, _ path: PathParameters, job: Int? = nil) -> String {
        let list = "\(request.head.outside.base)\(UWSList.root)/\(path["list"])"
        return job.map { "\(list)/\($0)" } ?? list
    }

    // MARK: Answers

    static func text(_ status: Int, _ text: String) -> HTTPResponse { HTTPResponse(status: status, text: text + "\n") }

    static func xml(_ bytes: [UInt8]) -> HTTPResponse {
        HTTPResponse(headers: ["Content-Type": UWSDocuments.contentType], body: .bytes(bytes))
    }

    static func seeOther(_ url: String) -> HTTPResponse { HTTPResponse(status: 303, headers: ["Location": url]) }

    /// An error as UWS has it: plain text; 403 for what the job's state does not allow, Basic for who is not known.
    func answer(_ error: any Error, _ head: HTTPRequestHead) -> HTTPResponse {
        if let refusal = error as? Refusal { return Self.text(refusal.status, refusal.text) }
        let problem = door.problem(error, head)
        var answer = Self.text(
            problem.document.status == 409 ? 403 : problem.document.status, problem.document.detail)
        for field in problem.headers.fields { answer.headers.set(field.name, field.value) }
        if problem.document.status == 401 { answer.headers.set("WWW-Authenticate", "Basic realm=\"haul\"") }
        return answer
    }

    /// What only this face refuses so.
    struct Refusal: Error {
        var status: Int
        var text: String

        static let noList = Refusal(
            status: 404, text: "There is no such job list: transfer, list, copy, remove, rename and mkdir are.")
        static let noJob = Refusal(status: 404, text: "There is no such job in this list.")
        static let notYours = Refusal(status: 403, text: "The job is somebody else's.")

        static func invalid(_ text: String) -> Refusal { Refusal(status: 400, text: text) }
        static func nothing(_ text: String) -> Refusal { Refusal(status: 404, text: text) }
    }
}
