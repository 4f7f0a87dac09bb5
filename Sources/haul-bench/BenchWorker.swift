import Foundation
import HaulHTTP
import HaulModel
import HaulWire

/// What a worker says to the server, without any transfer.
enum BenchWorker {
    static func session(_ target: Target, name: String, protocolName: String) async throws -> Int {
        let registration = WorkerRegistration(
            name: name, host: "localhost", version: "bench", slots: 1, protocols: [.string(protocolName)], sites: [])
        let response = try await target.send(
            "POST", "/worker/register", Array(JSONEncoder().encode(registration)), as: .worker)
        return try JSONDecoder().decode(SessionDocument.self, from: Data(response.body)).session
    }

    /// Nothing where nothing waits.
    static func claim(_ target: Target, session: Int, limit: Int, types: [Int]) async throws -> [ClaimedJob] {
        let request = ClaimRequest(types: types, protocols: nil, sites: nil, session: session, limit: limit, wait: nil)
        let response = try await target.send(
            "POST", "/worker/jobs", Array(JSONEncoder().encode(request)), as: .worker, statuses: [200, 404])
        if response.status == 404 { return [] }
        return try JSONDecoder().decode([ClaimedJob].self, from: Data(response.body))
    }

    /// The report of an element that succeeded at once.
    static func success(_ job: ClaimedJob, _ element: ClaimedElement) -> ResultsRequest.Item {
        ResultsRequest.Item(
            jobID: job.id, elementID: element.id, token: element.token,
            outcome: OutcomeDocument(
                returncode: 0, host: "localhost", log: "made \(job.sourcePath)\n",
                timestamp: "2026-01-01T00:00:00.000Z",
                transferred: 0))
    }
}
