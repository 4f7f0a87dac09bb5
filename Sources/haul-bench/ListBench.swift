import Foundation
import HaulHTTP
import HaulModel
import HaulWire

/// Sends a large listing up and waits until all that follows from it is there.
struct ListBench {
    private let target: Target
    private let options: BenchOptions

    init(_ target: Target, _ options: BenchOptions) {
        self.target = target
        self.options = options
    }

    func run() async throws -> Figures {
        let body = """
            {"src_siteid":"\(options.site)","dst_siteid":"\(options.site)","src_filepath":"/bench/src",\
            "dst_filepath":"/bench/dst","queue":"bench-list","priority":0}
            """
        let made = try await target.send("POST", "/copy", Array(body.utf8))
        let job = try JSONDecoder().decode(JobDocument.self, from: Data(made.body))
        let session = try await BenchWorker.session(target, name: "bench-list", protocolName: options.protocolName)
        guard
            let claimed = try await BenchWorker.claim(target, session: session, limit: 1, types: [1]).first(where: {
                $0.id == job.id
            }), let element = claimed.elements.first
        else { throw BenchError(message: "the job went to another worker, or others wait before it") }
        let clock = ContinuousClock()
        let start = clock.now
        try await upload("/worker/jobs/\(job.id)/elements/0", token: element.token)
        let sent = clock.now
        let outcome = OutcomeDocument(
            returncode: 0, host: "localhost", log: "listed\n", timestamp: "2026-01-01T00:00:00.000Z")
        _ = try await target.send(
            "PUT", "/worker/jobs/\(job.id)/elements/0", Array(JSONEncoder().encode(outcome)),
            as: .element(element.token))
        let stored = clock.now
        while try await elements(of: job.id) <= options.entries {
            guard clock.now < stored + .seconds(120) else {
                throw BenchError(message: "not all elements were there two minutes after the listing was")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        let expanded = clock.now
        let all = (expanded - start) / .seconds(1)
        return Figures(
            bench: "list",
            rows: [
                .init(name: "entries", value: Double(options.entries), unit: "entries"),
                .init(name: "sent up", value: (sent - start) / .seconds(1), unit: "s"),
                .init(name: "checked and stored", value: (stored - sent) / .seconds(1), unit: "s"),
                .init(name: "expanded", value: (expanded - stored) / .seconds(1), unit: "s"),
                .init(name: "all", value: all, unit: "s"),
                .init(name: "entries up, stored and expanded", value: Double(options.entries) / all, unit: "entries/s"),
            ])
    }

    /// Pieces of about a mebibyte.
    private func upload(_ path: String, token: String) async throws {
        var offset = 0
        var piece: [UInt8] = []
        // The source itself comes first: what is below it has to be named there.
        for directory in 0...(options.entries - 1) / 1000 {
            piece += Array("{\"dir\":\"/bench/src\",\"name\":\"d\(directory)\",\"st_mode\":16877}\n".utf8)
        }
        for number in 0..<options.entries {
            let directory = number / 1000
            piece += Array(
                "{\"dir\":\"/bench/src/d\(directory)\",\"name\":\"file-\(number)\",\"st_size\":1,\"st_mode\":33188}\n"
                    .utf8)
            if piece.count < 1 << 20 && number + 1 < options.entries { continue }
            _ = try await target.send(
                "POST", "\(path)/listing?offset=\(offset)", piece, as: .element(token))
            offset += piece.count
            piece.removeAll(keepingCapacity: true)
        }
    }

    private func elements(of job: Int) async throws -> Int {
        let response = try await target.send("GET", "/jobs/\(job)")
        let document = try JSONDecoder().decode(JobDocument.self, from: Data(response.body))
        if document.status == "FAILED" { throw BenchError(message: "the server refused the listing") }
        return document.counts?.elements ?? 0
    }
}
