/// Registers jobs, one or many a request.
struct RegisterBench {
    private let target: Target
    private let options: BenchOptions

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    func run() async throws -> Figures {
        let batch = options.batch
        let site = options.site
        let requests = max(1, options.jobs / batch)
        let meter = try await Meter.run(count: requests, workers: options.connections) { number in
            _ = try await target.send("POST", "/jobs", JobBodies.list(site: site, count: batch, from: number * batch))
        }
        let limit = try await target.rawLimit(connections: options.connections)
        return Figures(
            bench: "register",
            rows: [
                .init(name: "jobs registered", value: Double(requests * batch), unit: "jobs"),
                .init(name: "registered, on disk before the reply", value: meter.rate * Double(batch), unit: "jobs/s"),
                .init(name: "p50 of a request", value: meter.percentile(0.5) * 1000, unit: "ms"),
                .init(name: "p99 of a request", value: meter.percentile(0.99) * 1000, unit: "ms"),
                .init(name: "raw limit: empty requests", value: limit, unit: "requests/s"),
                .init(name: "requests, of the raw limit", value: meter.rate / limit, unit: ""),
                .init(name: BareSQLite.name, value: try BareSQLite.rate(rowsACommit: max(64, batch)), unit: "rows/s"),
            ])
    }
}
