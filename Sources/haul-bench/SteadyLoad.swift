/// Registers jobs at an even pace for some time, and runs the workers that take them.
final class SteadyLoad: Sendable {
    struct Result {
        var seconds: Double
        var registrations: Meter
        var claims: Meter
        var reports: Meter
        /// Elements.
        var done: Int
        /// Jobs that were registered and not taken.
        var left: Int
    }

    private let worker: BenchWorker
    private let options: BenchOptions
    private let registered = Counter()
    private let done = Counter()
    /// Of those who register, the ones that are done.
    private let ended = Counter()
    private let registrations = Stopwatch()
    private let claims = Stopwatch()
    private let reports = Stopwatch()

    init(_ worker: BenchWorker, _ options: BenchOptions) {
        self.worker = worker
        self.options = options
    }

    func run() async throws -> Result {
        let clock = ContinuousClock()
        let start = clock.now
        try await withThrowingTaskGroup { group in
            for number in 0..<options.connections {
                group.addTask { try await self.register(from: number, start: start) }
                group.addTask { try await self.take() }
            }
            // Whoever registers is done first; the workers then see what is left through.
            try await group.waitForAll()
        }
        let seconds = (clock.now - start) / .seconds(1)
        return Result(
            seconds: seconds, registrations: registrations.meter(seconds), claims: claims.meter(seconds),
            reports: reports.meter(seconds), done: done.value, left: registered.value - done.value)
    }

    /// One of those who register, each at its share of the pace. Who is late makes up for it.
    private func register(from first: Int, start: ContinuousClock.Instant) async throws {
        defer { ended.add(1) }
        let clock = ContinuousClock()
        let pace = Duration.seconds(1) / options.rate
        var number = first
        while true {
            let due = start + pace * number
            guard due - start < .seconds(options.seconds), clock.now - start < .seconds(options.seconds) else { return }
            try await clock.sleep(until: due)
            let body = JobBodies.mkdir(site: options.site, number: number)
            _ = try await registrations.time { try await self.worker.target.send("POST", "/jobs", body) }
            registered.add(1)
            number += options.connections
        }
    }

    private func take() async throws {
        while true {
            let isLast = ended.value == options.connections
            let answer = try await claims.time { try await self.worker.claim(limit: self.options.batch, types: [4]) }
            let tokens = ElementToken.all(in: answer)
            if tokens.isEmpty {
                if isLast { return }
                try await Task.sleep(for: .milliseconds(20))
                continue
            }
            try await reports.time { try await self.worker.succeed(tokens) }
            done.add(tokens.count)
        }
    }
}
