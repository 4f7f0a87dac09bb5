import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Workers: who may see them, and who may open and close them.
    func addOperatorRoutes(to router: inout Routes) {
        let workers = Route(
            "Workers: operators see all of them; users those that live, and what these can do for them", .look,
            answers: .ok(listOf: WorkerDocument.schema))
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

    /// What one who asks is told of a worker. A user is not told of one that does not live, or that reaches no site which is
    /// open to them; and of the others neither machine, version, nor sites that are not.
    private func seen(_ worker: KnownWorker, by who: Principal, _ sites: SiteDirectory) -> WorkerDocument? {
        var document = WorkerDocument(worker)
        if who.isOperator { return document }
        guard document.alive, worker.isOpen(to: who, sites) else { return nil }
        document.sites = worker.sites(openTo: who, sites)
        (document.host, document.version) = (nil, nil)
        return document
    }

    /// `GET /workers`.
    private func listWorkers(_ request: HTTPRequest) async throws -> HTTPResponse {
        let who = try await principal(of: request, .operate, .readJobs)
        let first = try await engine.workers(after: "", limit: Self.page)
        let response = JSONStream(for: request).response { [engine] sink in
            var workers = first
            while true {
                let sites = try await engine.siteDirectory(with: workers.flatMap(\.record.sites))
                for document in workers.compactMap({ seen($0, by: who, sites) }) {
                    sink.begin()
                    try await sink.write(JSONText.bytes(document))
                }
                guard workers.count == Self.page, let name = workers.last?.record.name else { return }
                workers = try await engine.workers(after: name, limit: Self.page)
            }
        }
        return watched(response, request.head)
    }
}
