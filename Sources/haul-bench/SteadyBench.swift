/// A load that stays the same: jobs are registered at an even pace, claimed and reported as they come.
struct SteadyBench {
    private let target: Target
    private let options: BenchOptions
    /// How often memory is looked at.
    private static let looks = 30
    /// Flat: the last third is no more than this above the first.
    private static let tolerance = 1.05

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    func run() async throws -> Figures {
        let server = try options.playground.map { try ServerProcess(playground: $0) }
        let worker = try await BenchWorker(target, name: "bench-steady", protocolName: options.protocolName)
        let load = SteadyLoad(worker, options)
        let limit = try await target.rawLimit(connections: options.connections)
        let tree = BenchTree(worker, site: options.site)
        let (memory, result) = try await worker.beating {
            // Caches have bounds, and are full from here on: what grows then is none.
            try await tree.fill(files: options.warmUp)
            try await worker.drain(options.warmUp, options)
            async let memory = watch(server)
            let result = try await load.run()
            return (await memory, result)
        }
        var rows: [Figures.Row] = [
            .init(name: "seconds", value: result.seconds, unit: "s"),
            .init(name: "registered", value: result.registrations.rate, unit: "jobs/s"),
            .init(name: "p99 of a registration", value: result.registrations.percentile(0.99) * 1000, unit: "ms"),
            .init(name: "claimed and reported", value: Double(result.done) / result.seconds, unit: "elements/s"),
            .init(name: "p99 of a claim", value: result.claims.percentile(0.99) * 1000, unit: "ms"),
            .init(name: "p99 of a report", value: result.reports.percentile(0.99) * 1000, unit: "ms"),
            .init(name: "registered and not taken", value: Double(result.left), unit: "jobs"),
            .init(name: "raw limit: empty requests", value: limit, unit: "requests/s"),
        ]
        if server != nil { rows += Self.rows(ofMemory: memory) }
        return Figures(bench: "steady", rows: rows)
    }

    /// The server's memory at even intervals, in MiB.
    private func watch(_ server: ServerProcess?) async -> [Double] {
        guard let server else { return [] }
        var memory: [Double] = []
        for _ in 0..<Self.looks {
            guard (try? await Task.sleep(for: .seconds(options.seconds) / Self.looks)) != nil else { break }
            memory.append(server.memory)
        }
        return memory
    }

    private static func rows(ofMemory memory: [Double]) -> [Figures.Row] {
        let third = memory.count / 3
        guard third > 0 else { return [] }
        func median(_ part: ArraySlice<Double>) -> Double { part.sorted()[part.count / 2] }
        let first = median(memory[..<third])
        let last = median(memory[(2 * third)...])
        let thirds = [("first", first), ("middle", median(memory[third..<(2 * third)])), ("last", last)]
        return thirds.map { .init(name: "server's memory, \($0.0) third of the time", value: $0.1, unit: "MiB") } + [
            .init(name: "server's memory, the most", value: memory.max() ?? 0, unit: "MiB"),
            .init(name: "memory is flat (1: it is)", value: last <= first * tolerance ? 1 : 0, unit: ""),
        ]
    }
}
