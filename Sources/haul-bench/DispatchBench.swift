/// Claims the elements of COPY jobs and reports them done, as fast as the server goes.
struct DispatchBench {
    private let target: Target
    private let options: BenchOptions

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    func run() async throws -> Figures {
        let worker = try await BenchWorker(target, name: "bench-dispatch", protocolName: options.protocolName)
        let tree = BenchTree(worker, site: options.site)
        return try await worker.beating {
            guard let waiting = options.waiting else { return try await plain(worker, tree) }
            return try await compared(worker, tree, waiting: waiting)
        }
    }

    private func plain(_ worker: BenchWorker, _ tree: BenchTree) async throws -> Figures {
        let wanted = options.jobs * options.entries
        try await tree.fill(files: wanted, jobs: options.jobs)
        let seconds = try await worker.drain(wanted, options)
        let limit = try await target.rawLimit(connections: options.connections)
        let requests = 2 * Double(wanted) / Double(options.batch) / seconds
        return Figures(
            bench: "dispatch",
            rows: [
                .init(name: "elements claimed and reported", value: Double(wanted), unit: "elements"),
                .init(name: "claimed and reported", value: Double(wanted) / seconds, unit: "elements/s"),
                .init(name: "raw limit: empty requests", value: limit, unit: "requests/s"),
                .init(name: "requests, of the raw limit", value: requests / limit, unit: ""),
                .init(name: BareSQLite.name, value: try BareSQLite.rate(rowsACommit: options.batch), unit: "rows/s"),
            ])
    }

    /// The same number of elements out of few and out of many that wait, in the same rounds.
    private func compared(_ worker: BenchWorker, _ tree: BenchTree, waiting: Int) async throws -> Figures {
        let few = options.entries
        var (withFew, withMany) = (0.0, 0.0)
        for _ in 0..<options.jobs {
            try await tree.fill(files: few)
            withFew += try await worker.drain(few, options)
        }
        let start = ContinuousClock.now
        try await tree.fill(files: waiting)
        let filling = (ContinuousClock.now - start) / .seconds(1)
        for _ in 0..<options.jobs { withMany += try await worker.drain(min(few, waiting), options) }
        let limit = try await target.rawLimit(connections: options.connections)
        let count = Double(options.jobs * few)
        let most = Double(options.jobs * min(few, waiting))
        return Figures(
            bench: "dispatch",
            rows: [
                .init(name: "waiting, at most", value: Double(waiting), unit: "elements"),
                .init(name: "until so many wait", value: filling, unit: "s"),
                .init(name: "claimed and reported, \(few) waiting", value: count / withFew, unit: "elements/s"),
                .init(name: "claimed and reported, \(waiting) waiting", value: most / withMany, unit: "elements/s"),
                .init(name: "with many, of the rate with few", value: most / withMany / (count / withFew), unit: ""),
                .init(name: "raw limit: empty requests", value: limit, unit: "requests/s"),
            ])
    }
}
