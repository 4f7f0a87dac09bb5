import Foundation
import HaulHTTP
import HaulWire

/// A COPY of a directory whose listing the bench itself sends, as its worker.
struct BenchTree: Sendable {
    private let worker: BenchWorker
    private let site: String
    private var target: Target { worker.target }

    init(_ worker: BenchWorker, site: String) {
        self.worker = worker
        self.site = site
    }

    /// Registers COPY jobs of up to 250,000 files each until so many elements wait, and sends their listings.
    func fill(files: Int, jobs: Int? = nil) async throws {
        let jobs = jobs ?? (files - 1) / 250_000 + 1
        var left = files
        for number in 0..<jobs {
            let share = left / (jobs - number)
            left -= share
            let job = try await claim()
            try await upload(job, files: share)
            try await finish(job)
            try await waitForElements(of: job, files: share)
        }
    }

    /// Registers the COPY and takes its LIST.
    func claim() async throws -> ClaimedJob {
        let body = """
            {"src_siteid":"\(site)","dst_siteid":"\(site)","src_filepath":"/bench/src",\
            "dst_filepath":"/bench/dst","queue":"bench","priority":0}
            """
        let made = try await target.send("POST", "/copy", Array(body.utf8))
        let id = try JSONDecoder().decode(JobDocument.self, from: Data(made.body)).id
        // The elements of earlier trees wait before it, unless it is first: nothing else has this priority meanwhile.
        let claimed = try await worker.claimJobs(limit: 1, types: [1])
        guard let job = claimed.first(where: { $0.id == id && !$0.elements.isEmpty }) else {
            throw BenchError(message: "the job went to another worker, or others wait before it")
        }
        _ = try await target.send("PATCH", "/jobs/\(id)", Array("{\"priority\":5}".utf8))
        return job
    }

    /// Sends the listing of a thousand files a directory, in pieces of about a mebibyte.
    func upload(_ job: ClaimedJob, files: Int) async throws {
        var offset = 0
        var piece: [UInt8] = []
        // The source itself comes first: what is below it has to be named there.
        for directory in 0...(files - 1) / 1000 {
            piece += Array("{\"dir\":\"/bench/src\",\"name\":\"d\(directory)\",\"st_mode\":16877}\n".utf8)
        }
        for number in 0..<files {
            let directory = number / 1000
            piece += Array(
                "{\"dir\":\"/bench/src/d\(directory)\",\"name\":\"file-\(number)\",\"st_size\":1,\"st_mode\":33188}\n"
                    .utf8)
            if piece.count < 1 << 20 && number + 1 < files { continue }
            _ = try await target.send(
                "POST", "/worker/jobs/\(job.id)/elements/0/listing?offset=\(offset)", piece,
                as: .element(job.elements[0].token))
            offset += piece.count
            piece.removeAll(keepingCapacity: true)
        }
    }

    /// Reports the LIST done.
    func finish(_ job: ClaimedJob) async throws {
        let outcome = OutcomeDocument(
            returncode: 0, host: "localhost", log: "listed\n", timestamp: "2026-01-01T00:00:00.000Z")
        _ = try await target.send(
            "PUT", "/worker/jobs/\(job.id)/elements/0", Array(JSONEncoder().encode(outcome)),
            as: .element(job.elements[0].token))
    }

    /// Returns once all that follows from the listing is there.
    func waitForElements(of job: ClaimedJob, files: Int) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(120)
        while try await elements(of: job.id) <= files {
            guard clock.now < deadline else {
                throw BenchError(message: "not all elements were there two minutes after the listing was")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func elements(of job: Int) async throws -> Int {
        let response = try await target.send("GET", "/jobs/\(job)")
        let document = try JSONDecoder().decode(JobDocument.self, from: Data(response.body))
        if document.status == "FAILED" { throw BenchError(message: "the server refused the listing") }
        return document.counts?.elements ?? 0
    }
}
