import Foundation
import HaulHTTP
import HaulWire

extension Target {
    /// Registers a job.
    /// - Returns: Its id.
    func register(_ path: String, _ body: String) async throws -> Int {
        let made = try await send("POST", path, Array(body.utf8))
        return try JSONDecoder().decode(JobDocument.self, from: Data(made.body)).id
    }

    /// Returns once the job is DONE.
    /// - Throws: Where it ends in another way, or not in time.
    func finish(_ id: Int, within limit: Duration) async throws {
        struct Status: Decodable { var status: String }
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            let answer = try await send("GET", "/jobs/\(id)/status")
            let status = try JSONDecoder().decode(Status.self, from: Data(answer.body)).status
            if status == "DONE" { return }
            guard ["NEW", "SUBMITTED", "RUNNING"].contains(status) else {
                throw BenchError(message: "job \(id) is \(status)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw BenchError(message: "job \(id) has no end after \(limit)")
    }
}
