import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Queues and workers: who may see them, and who may open and close them.
    func addOperatorRoutes(to router: inout Routes) {
        let user: KeyValuePairs<String, Schema> = ["user?": .text.about("For operators: whose")]
        let queues = Route(
            "Queues", .readJobs, query: user, answers: .ok(.list(of: QueueDocument.schema)),
            .notFound("There is no such user."))
        router.on("GET", "/queues", queues) { request, _ in
            let user = try await owner(request, .readJobs).id
            return JSONText.response(
                try await engine.queues(ofUser: user).map { QueueDocument($0) })
        }
        let changeQueue = Route(
            "Pause or limit a queue", .changeJobs, query: user, body: .json(.queueChange),
            answers: .ok(QueueDocument.schema))
        router.on("PATCH", "/queues/:queue", changeQueue) { request, path in
            let (user, actor) = try await owner(request, .changeJobs)
            let document = try JSONText.object(request.body)
            var fields = Fields(document)
            let paused = fields.flag("paused")
            let limit = fields.int("limit", in: 1...1_000_000)
            if document["limit"] == nil, fields.value("paused") == nil {
                fields.note("paused", "is missing: true or false, or a limit: a number, or null for none")
            }
            try fields.check()
            let name = path["queue"]
            guard (1...64).contains(name.utf8.count) else { throw Problem.notFound(request) }
            let queue = try await engine.change(
                queue: name, ofUser: user, isPaused: paused, limit: document["limit"] == nil ? nil : .some(limit),
                by: actor)
            return JSONText.response(QueueDocument(queue))
        }
        let workers = Route("Workers", .operate, answers: .ok(listOf: WorkerDocument.schema))
        router.on("GET", "/workers", workers) { request, _ in try await listWorkers(request) }
        let worker = Route("A worker", .operate, answers: .ok(WorkerDocument.schema))
        router.on("GET", "/workers/:worker", worker) { request, path in
            _ = try await principal(of: request, .operate)
            return JSONText.response(WorkerDocument(try await engine.worker(named: path["worker"])))
        }
        let drain = Route(
            "Give a worker no more work, or some again", .operate,
            body: .json(.object(["drained": .flag], isOpen: true)), answers: .ok(WorkerDocument.schema))
        router.on("PATCH", "/workers/:worker", drain) { request, path in
            let who = try await principal(of: request, .operate)
            var fields = Fields(try JSONText.object(request.body))
            let drained = fields.required("drained") { $0.flag($1) }
            try fields.check()
            let worker = try await engine.setDrained(
                drained ?? false, worker: path["worker"], by: who.actor(request))
            return JSONText.response(WorkerDocument(worker))
        }
        let end = Route("End a worker's session", .operate, answers: .ok(WorkerDocument.schema))
        router.on("DELETE", "/workers/:worker/session", end) { request, path in
            let who = try await principal(of: request, .operate)
            let worker = try await engine.endSession(ofWorker: path["worker"], by: who.actor(request))
            return JSONText.response(WorkerDocument(worker))
        }
    }

    /// `GET /workers`.
    private func listWorkers(_ request: HTTPRequest) async throws -> HTTPResponse {
        _ = try await principal(of: request, .operate)
        let first = try await engine.workers(after: "", limit: Self.page)
        let response = JSONStream(for: request).response { [engine] sink in
            var workers = first
            while true {
                for worker in workers {
                    sink.begin()
                    try await sink.write(JSONText.bytes(WorkerDocument(worker)))
                }
                guard workers.count == Self.page, let name = workers.last?.record.name else { return }
                workers = try await engine.workers(after: name, limit: Self.page)
            }
        }
        return watched(response, request.head)
    }

    /// Whose queues: the asker's; an operator may name another user.
    private func owner(_ request: HTTPRequest, _ scope: Scope) async throws -> (id: Int, actor: Requester) {
        let principal = try await principal(of: request, scope)
        guard let name = request.query("user"), !name.isEmpty, name != principal.user.name else {
            return (principal.user.id, principal.actor(request))
        }
        guard principal.isOperator else { throw Problem.notAllowed(principal, [.operate]) }
        guard let user = try await engine.user(named: name) else { throw Problem.noUser(name) }
        return (user.id, principal.actor(request))
    }
}

extension Schema {
    /// Elements of a queue that may be with workers at once.
    private static let queueLimit = integer(1...1_000_000).orNull.about("Null: none")
    fileprivate static let queueChange = any(of: [
        object(["paused": .flag, "limit?": queueLimit], isOpen: true),
        object(["paused?": .flag.orNull, "limit": queueLimit], isOpen: true),
    ])
}

extension Problem {
    static func noUser(_ name: String) -> Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "no_such_user", detail: "There is no user \"\(name)\".",
                hint: "GET /users (haul users) lists them."))
    }
}
