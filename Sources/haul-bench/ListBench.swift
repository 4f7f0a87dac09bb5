/// Sends a large listing up and waits until all that follows from it is there.
struct ListBench {
    private let target: Target
    private let options: BenchOptions

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    func run() async throws -> Figures {
        let session = try await BenchWorker.session(target, name: "bench-list", protocolName: options.protocolName)
        let tree = BenchTree(target, options, session: session)
        let job = try await tree.claim()
        let clock = ContinuousClock()
        let start = clock.now
        try await tree.upload(job, files: options.entries)
        let sent = clock.now
        try await tree.finish(job)
        let stored = clock.now
        try await tree.waitForElements(of: job, files: options.entries)
        let expanded = clock.now
        let all = (expanded - start) / .seconds(1)
        let limit = try await target.rawLimit(connections: options.connections)
        return Figures(
            bench: "list",
            rows: [
                .init(name: "entries", value: Double(options.entries), unit: "entries"),
                .init(name: "sent up", value: (sent - start) / .seconds(1), unit: "s"),
                .init(name: "checked and stored", value: (stored - sent) / .seconds(1), unit: "s"),
                .init(name: "expanded", value: (expanded - stored) / .seconds(1), unit: "s"),
                .init(name: "all", value: all, unit: "s"),
                .init(name: "entries up, stored and expanded", value: Double(options.entries) / all, unit: "entries/s"),
                .init(name: "raw limit: empty requests", value: limit, unit: "requests/s"),
            ])
    }
}
