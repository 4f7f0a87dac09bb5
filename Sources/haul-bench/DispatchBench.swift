import Foundation
import HaulWire

/// Claims the elements of COPY jobs and reports them done, as fast as the server goes.
struct DispatchBench {
    private let target: Target
    private let options: BenchOptions

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    func run() async throws -> Figures {
        let session = try await BenchWorker.session(target, name: "bench-dispatch", protocolName: options.protocolName)
        let tree = BenchTree(target, options, session: session)
        var listed: [ClaimedJob] = []
        for _ in 0..<options.jobs { listed.append(try await tree.claim()) }
        for job in listed {
            try await tree.upload(job, files: options.entries)
            try await tree.finish(job)
            try await tree.waitForElements(of: job, files: options.entries)
        }
        let done = Counter()
        let batch = options.batch
        let wanted = options.jobs * options.entries
        let meter = try await Meter.run(count: options.connections, workers: options.connections) { _ in
            while done.value < wanted {
                let jobs = try await BenchWorker.claim(target, session: session, limit: batch, types: [1])
                if jobs.isEmpty { return }
                let results = jobs.flatMap { job in job.elements.map { BenchWorker.success(job, $0) } }
                _ = try await target.send(
                    "POST", "/worker/results", Array(JSONEncoder().encode(ResultsRequest(results: results))),
                    as: .worker)
                done.add(results.count)
            }
        }
        let limit = try await target.rawLimit(connections: options.connections)
        let count = Double(done.value)
        return Figures(
            bench: "dispatch",
            rows: [
                .init(name: "elements claimed and reported", value: count, unit: "elements"),
                .init(name: "claimed and reported", value: count / meter.seconds, unit: "elements/s"),
                .init(name: "raw limit: empty requests", value: limit, unit: "requests/s"),
                .init(
                    name: "requests, of the raw limit", value: 2 * count / Double(batch) / meter.seconds / limit,
                    unit: ""),
            ])
    }
}
