/// Sends a large listing up and waits until all that follows from it is there.
struct ListBench {
    private let target: Target
    private let options: BenchOptions

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    private struct Moments {
        var start, sent, stored, expanded: ContinuousClock.Instant
    }

    func run() async throws -> Figures {
        let server = try options.playground.map { try ServerProcess(playground: $0) }
        let worker = try await BenchWorker(target, name: "bench-list", protocolName: options.protocolName)
        let tree = BenchTree(worker, site: options.site)
        let files = options.entries
        let job = try await tree.claim()
        let before = server?.memory
        try server?.forgetPeak()
        let (moments, others) = try await OtherUsers(target, site: options.site).beside {
            let start = ContinuousClock.now
            try await tree.upload(job, files: files)
            let sent = ContinuousClock.now
            try await tree.finish(job)
            let stored = ContinuousClock.now
            try await tree.waitForElements(of: job, files: files)
            return Moments(start: start, sent: sent, stored: stored, expanded: .now)
        }
        var memory: [Figures.Row] = []
        if let server, let before {
            memory = [
                .init(name: "server's memory before", value: before, unit: "MiB"),
                .init(name: "server's peak memory", value: server.peakMemory, unit: "MiB"),
            ]
        }
        let all = (moments.expanded - moments.start) / .seconds(1)
        let limit = try await target.rawLimit(connections: options.connections)
        return Figures(
            bench: "list",
            rows: [
                .init(name: "entries", value: Double(files), unit: "entries"),
                .init(name: "sent up", value: (moments.sent - moments.start) / .seconds(1), unit: "s"),
                .init(name: "checked and stored", value: (moments.stored - moments.sent) / .seconds(1), unit: "s"),
                .init(name: "expanded", value: (moments.expanded - moments.stored) / .seconds(1), unit: "s"),
                .init(name: "all", value: all, unit: "s"),
                .init(name: "entries up, stored and expanded", value: Double(files) / all, unit: "entries/s"),
                .init(name: "others meanwhile: p50 of a request", value: others.percentile(0.5) * 1000, unit: "ms"),
                .init(name: "others meanwhile: p99 of a request", value: others.percentile(0.99) * 1000, unit: "ms"),
                .init(name: "raw limit: empty requests", value: limit, unit: "requests/s"),
                .init(name: BareSQLite.name, value: try BareSQLite.rate(rowsACommit: 1000), unit: "rows/s"),
            ] + memory)
    }
}
