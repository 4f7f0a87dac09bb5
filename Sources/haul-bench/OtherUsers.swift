import Foundation
import HaulHTTP
import HaulWire

/// What others do meanwhile: a small steady mix of registrations, looks at a job and at the list of jobs, over a
/// connection of its own.
final class OtherUsers: Sendable {
    private let target: Target
    private let site: String
    private let watch = Stopwatch()
    /// Between the beginnings of two requests.
    private static let pause = Duration.milliseconds(20)

    init(_ target: Target, site: String) {
        self.target = target
        self.site = site
    }

    /// Runs `body` while they go on.
    ///
    /// - Returns: what it returned, and how long each of their requests took, in seconds, sorted.
    func beside<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> (T, Meter) {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await self.goOn()
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
        return (result, watch.meter((clock.now - start) / .seconds(1)))
    }

    private func goOn() async throws {
        let clock = ContinuousClock()
        var due = clock.now
        var job = 0
        var turn = 0
        while !Task.isCancelled {
            do {
                job = try await watch.time { [turn, job] in try await self.request(turn, job) }
            } catch {
                // What is measured is over, and its requests are cut off.
                if Task.isCancelled { return }
                throw error
            }
            turn += 1
            due = max(due + Self.pause, clock.now)
            try? await Task.sleep(until: due)
        }
    }

    /// - Returns: the job that was registered last.
    private func request(_ turn: Int, _ job: Int) async throws -> Int {
        switch turn % 3 {
        case 0:
            let made = try await target.send("POST", "/jobs", JobBodies.list(site: site, count: 1, from: turn))
            return try JSONDecoder().decode(JobDocument.self, from: Data(made.body)).id
        case 1: _ = try await target.send("GET", "/jobs/\(job)")
        default: _ = try await target.send("GET", "/jobs?limit=20")
        }
        return job
    }
}
