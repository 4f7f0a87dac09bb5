import Foundation
import HaulHTTP
import HaulModel
import HaulWire

/// What a worker says to the server, without any transfer.
///
/// The load shares the machine with the server that it measures: of an answer it reads no more than it needs.
struct BenchWorker: Sendable {
    let target: Target
    let session: Int

    /// Registers as a worker, under a name of its own each time: another bench may have been there a moment ago.
    init(_ target: Target, name: String, protocolName: String) async throws {
        let registration = WorkerRegistration(
            name: "\(name)-\(UInt32.random(in: 0 ... .max))", host: "localhost", version: "bench", slots: 1,
            protocols: [.string(protocolName)], sites: [])
        let response = try await target.send(
            "POST", "/worker/register", Array(JSONEncoder().encode(registration)), as: .worker)
        self.target = target
        session = try JSONDecoder().decode(SessionDocument.self, from: Data(response.body)).session
    }

    /// Runs `body` while heartbeats renew the session's leases.
    func beating<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
        try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                let beat = Array("{\"session\":\(session),\"holding\":[]}".utf8)
                while !Task.isCancelled {
                    _ = try await target.send("POST", "/worker/heartbeat", beat, as: .worker)
                    try? await Task.sleep(for: .seconds(10))
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// Claims elements; answers the document as it came, empty where nothing waits.
    ///
    /// - Parameter wait: seconds to park until there is work.
    func claim(limit: Int, types: [Int], wait: Double? = nil) async throws -> [UInt8] {
        let request = ClaimRequest(types: types, protocols: nil, sites: nil, session: session, limit: limit, wait: wait)
        let response = try await target.send(
            "POST", "/worker/jobs", Array(JSONEncoder().encode(request)), as: .worker, statuses: [200, 404])
        return response.status == 404 ? [] : response.body
    }

    /// Claims elements, and answers the jobs with all that the server says of them.
    func claimJobs(limit: Int, types: [Int]) async throws -> [ClaimedJob] {
        let body = try await claim(limit: limit, types: types)
        return body.isEmpty ? [] : try JSONDecoder().decode([ClaimedJob].self, from: Data(body))
    }

    /// Reports the elements with these tokens as done at once.
    func succeed(_ tokens: [ElementToken]) async throws {
        var body = Array("{\"results\":[".utf8)
        for (number, token) in tokens.enumerated() {
            if number > 0 { body.append(UInt8(ascii: ",")) }
            body +=
                """
                {"job_id":\(token.job),"element_id":\(token.element),"token":"\(token.text)","returncode":0,\
                "host":"localhost","log":"made \(token.element)\\n","timestamp":"2026-01-01T00:00:00.000Z",\
                "transferred":0}
                """.utf8
        }
        body += "]}".utf8
        let response = try await target.send("POST", "/worker/results", body, as: .worker)
        let accepted = response.body.count(of: Self.accepted)
        guard accepted == tokens.count else {
            let text = String(decoding: response.body.prefix(300), as: UTF8.self)
            throw BenchError(message: "of \(tokens.count) reports \(accepted) were accepted: \(text)")
        }
    }

    private static let accepted = Array("\"status\":200".utf8)
}

/// An element's token, as it stands in the answer to a claim: `JOB.ELEMENT.ATTEMPT.PROOF`.
struct ElementToken: Sendable {
    var text: String
    var job: Int
    var element: Int

    /// All that stand in an answer.
    static func all(in document: [UInt8]) -> [ElementToken] {
        let key = Array("\"token\":\"".utf8)
        return document.places(of: key).compactMap { place in
            let rest = document[(place + key.count)...]
            let text = String(decoding: rest.prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
            let parts = text.split(separator: ".")
            guard parts.count == 4, let job = Int(parts[0]), let element = Int(parts[1]) else { return nil }
            return ElementToken(text: text, job: job, element: element)
        }
    }
}

extension [UInt8] {
    /// Where a text begins, each time that it occurs.
    func places(of text: [UInt8]) -> [Int] {
        var result: [Int] = []
        guard let first = text.first else { return result }
        withUnsafeBytes { bytes in
            text.withUnsafeBytes { text in
                guard let start = bytes.baseAddress, let wanted = text.baseAddress else { return }
                var from = 0
                while from + text.count <= bytes.count,
                    let found = memchr(start + from, Int32(first), bytes.count - from - text.count + 1)
                {
                    let place = UnsafeRawPointer(found) - start
                    let isThere = memcmp(start + place, wanted, text.count) == 0
                    if isThere { result.append(place) }
                    from = place + (isThere ? text.count : 1)
                }
            }
        }
        return result
    }

    /// How often a text occurs.
    func count(of text: [UInt8]) -> Int { places(of: text).count }
}
