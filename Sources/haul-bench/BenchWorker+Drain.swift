extension BenchWorker {
    /// Claims COPY elements and reports them done, as fast as the server goes.
    ///
    /// - Returns: seconds for so many elements.
    /// - Throws: `BenchError` where fewer wait.
    @discardableResult
    func drain(_ wanted: Int, _ options: BenchOptions) async throws -> Double {
        let taken = Counter()
        let done = Counter()
        let batch = options.batch
        let meter = try await Meter.run(count: options.connections, workers: options.connections) { _ in
            while true {
                let room = wanted - taken.add(batch)
                guard room > 0 else { return }
                let tokens = ElementToken.all(in: try await claim(limit: min(room, batch), types: [1]))
                if tokens.isEmpty { return }
                try await succeed(tokens)
                done.add(tokens.count)
            }
        }
        guard done.value == wanted else {
            throw BenchError(message: "of \(wanted) elements only \(done.value) were there to be claimed")
        }
        return meter.seconds
    }
}
