import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

/// Workers that live, as nodes.
extension ClockworkAPI {
    func addNodeRoutes(to router: inout Router) {
        on(&router, "GET", "/nodes/list", .readJobs) { request, parameters, who in
            let cluster = try parameters.text("cluster_name")
            let first = try await engine.workers(after: "", limit: Self.page)
            let response = HTTPResponse(
                headers: ["Content-Type": "application/json"],
                body: .stream { [engine] writer in
                    var sink = JSONStream.Sink(writer: writer, isLines: false)
                    var workers = first
                    while let last = workers.last {
                        let directory = try await sites(of: workers)
                        for worker in workers {
                            guard let node = node(worker, in: cluster, directory, who) else { continue }
                            sink.begin()
                            try await sink.write(node)
                        }
                        if workers.count < Self.page { break }
                        workers = try await engine.workers(after: last.record.name, limit: Self.page)
                    }
                    try await sink.finish()
                })
            return door.watched(response, request.head)
        }
        on(&router, "GET", "/nodes/one", .readJobs) { _, parameters, who in
            guard let name = try parameters.text("node_name") ?? parameters.text("name") else {
                throw Refusal.invalid("Missing argument node_name.")
            }
            let cluster = try parameters.text("cluster_name")
            // A worker's name, else that of the machine, on which there may be several.
            let workers = try await engine.liveWorkers(named: name, limit: Self.page)
            let directory = try await sites(of: workers)
            // Machines are the operators' alone.
            let known = workers.filter { who.isOperator || $0.record.name == name }
            let found = known.compactMap { node($0, in: cluster, directory, who) }
            guard found.count <= 1 else { throw Refusal.ambiguous }
            return found.first.map { Self.json($0) } ?? Self.nothing
        }
    }

    /// The sites, those that these workers reach among them.
    private func sites(of workers: [KnownWorker]) async throws -> SiteDirectory {
        try await engine.siteDirectory(with: workers.flatMap(\.record.sites))
    }

    /// - Returns: nil for one that does not live, is elsewhere, or of which they are not told.
    private func node(
        _ worker: KnownWorker, in cluster: String?, _ sites: SiteDirectory, _ who: Principal
    ) -> [UInt8]? {
        guard worker.session != nil, worker.isOpen(to: who, sites) else { return nil }
        // A site that is not open to them is not there.
        let open = worker.sites(openTo: who, sites).first.flatMap { sites[$0] }
        let name = open?.name ?? ClockworkDocuments.nowhere
        if let cluster, cluster != name, open == nil || Int(id: cluster) != open?.id { return nil }
        var writer = JSONWriter()
        ClockworkDocuments.node(worker, cluster: name, address: who.isOperator ? worker.record.host : nil, &writer)
        return writer.bytes
    }
}
