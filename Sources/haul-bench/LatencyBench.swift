/// How long it takes from a registration until a worker that waits for work holds it.
struct LatencyBench {
    private let target: Target
    private let options: BenchOptions
    /// Seconds that a claim parks.
    private static let wait = 5.0

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    /// Several workers wait, and one job is registered at a time: the next when it is held, so that somebody always waits.
    func run() async throws -> Figures {
        let worker = try await BenchWorker(target, name: "bench-latency", protocolName: options.protocolName)
        let limit = try await target.rawLimit(connections: options.connections)
        let meter = try await worker.beating { try await measure(worker) }
        return Figures(
            bench: "latency",
            rows: [
                .init(name: "jobs registered and held", value: Double(options.jobs), unit: "jobs"),
                .init(name: "p50 from registration to holding", value: meter.percentile(0.5) * 1000, unit: "ms"),
                .init(name: "p99 from registration to holding", value: meter.percentile(0.99) * 1000, unit: "ms"),
                .init(name: "registered and held", value: meter.rate, unit: "jobs/s"),
                .init(name: "raw limit: empty requests", value: limit, unit: "requests/s"),
                .init(name: BareSQLite.name, value: try BareSQLite.rate(rowsACommit: 1), unit: "rows/s"),
            ])
    }

    private func measure(_ worker: BenchWorker) async throws -> Meter {
        let arrivals = Arrivals()
        return try await withThrowingTaskGroup(of: Meter?.self) { group in
            for _ in 0..<options.connections {
                group.addTask {
                    // Whatever ends it: who waits for a job must not wait on.
                    defer { arrivals.end() }
                    try await take(worker, arrivals)
                    return nil
                }
            }
            group.addTask {
                try await Meter.run(count: options.jobs, workers: 1) { number in
                    _ = try await target.send("POST", "/jobs", JobBodies.mkdir(site: options.site, number: number))
                    try await arrivals.wait(for: number)
                }
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// A worker that has nothing to do but to wait for work.
    private func take(_ worker: BenchWorker, _ arrivals: Arrivals) async throws {
        while !Task.isCancelled {
            let answer = try await worker.claim(limit: 1, types: [4], wait: Self.wait)
            for number in JobBodies.numbers(in: answer) { arrivals.came(number) }
            let tokens = ElementToken.all(in: answer)
            if !tokens.isEmpty { try await worker.succeed(tokens) }
            if arrivals.isOverdue(.seconds(2 * Self.wait)) {
                throw BenchError(message: "a job that was registered came to no worker: another may have taken it")
            }
        }
    }
}
