import Foundation
import HaulHTTP

/// Kills the server while much waits, starts it again, and takes the time from its start to its first answer.
struct StartBench {
    private let target: Target
    private let options: BenchOptions
    private static let times = 3

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    func run() async throws -> Figures {
        var server = try ServerProcess(playground: options.playground ?? "")
        let waiting = options.waiting ?? 0
        let worker = try await BenchWorker(target, name: "bench-start", protocolName: options.protocolName)
        let tree = BenchTree(worker, site: options.site)
        try await worker.beating { try await tree.fill(files: waiting) }
        var seconds: [Double] = []
        for _ in 0..<Self.times {
            try await server.kill()
            let start = ContinuousClock.now
            let process = try server.start()
            try await firstAnswer(process)
            seconds.append((ContinuousClock.now - start) / .seconds(1))
            server = server.running(as: process.processIdentifier)
        }
        seconds.sort()
        return Figures(
            bench: "start",
            rows: [
                .init(name: "waiting", value: Double(waiting), unit: "elements"),
                .init(name: "from its start to the first answer, median", value: seconds[Self.times / 2], unit: "s"),
                .init(name: "the slowest of \(Self.times)", value: seconds[Self.times - 1], unit: "s"),
                .init(name: "raw limit: the program prints its version", value: try server.bareStart(), unit: "s"),
            ])
    }

    /// A list of jobs is a question to the database.
    private func firstAnswer(_ process: Process) async throws {
        for _ in 0..<6000 {
            if let answer = try? await target.send("GET", "/jobs?limit=1"), answer.status == 200 { return }
            guard process.isRunning else { throw BenchError(message: "the server ended as soon as it was started") }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw BenchError(message: "the server gave no answer within half a minute")
    }
}
