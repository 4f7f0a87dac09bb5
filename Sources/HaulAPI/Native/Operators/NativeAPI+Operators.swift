import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Workers: who may see them, and who may open and close them.
    func addOperatorRoutes(to router: inout Routes) {
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
}

extension Problem {
    static func noUser(_ name: String) -> Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "no_such_user", detail: "There is no user \"\(name)\".",
                hint: "GET /users (haul users) lists them."))
    }
}
