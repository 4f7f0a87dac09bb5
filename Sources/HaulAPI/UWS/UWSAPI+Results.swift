import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

/// What a job left behind: `result`, its summary, once it has ended; and of each element that was tried `log-E`, the log of
/// its latest attempt, and `listing-E`.
extension UWSAPI {
    func addResultRoutes(to router: inout Router) {
        read(&router, "/:list/:job/results") { request, path, who in
            let job = try await job(path, who)
            let first = try await results(of: job, after: (-1, 0))
            let response = HTTPResponse(
                headers: ["Content-Type": UWSDocuments.contentType],
                body: .stream { writer in
                    var xml = XMLWriter()
                    UWSDocuments.beginResults(&xml)
                    try await writeResults(of: job, first, url: url(request, path, job: job.id), &xml, to: writer)
                    xml.end()
                    try await writer.write(xml.take())
                })
            return door.watched(response, request.head)
        }
        read(&router, "/:list/:job/results/:name") { request, path, who in
            try await door.watched(result(path["name"], of: job(path, who)), request.head)
        }
        read(&router, "/:list/:job/error") { request, path, who in
            try await door.watched(error(of: job(path, who)), request.head)
        }
    }

    func results(of job: Job, after: (element: Int, number: Int)) async throws -> [Engine.EndedAttempt] {
        try await engine.endedAttempts(ofJob: job.id, latestOnly: true, after: after, limit: Self.page)
    }

    /// Streams references to a job's results.
    ///
    /// - Parameter first: the first page of them.
    func writeResults(
        of job: Job, _ first: [Engine.EndedAttempt], url: String, _ xml: inout XMLWriter, to writer: HTTPBodyWriter
    ) async throws {
        if job.stage.isEnded, job.isSound { UWSDocuments.result("result", "application/json", url: url, &xml) }
        var page = first
        while let last = page.last?.attempt {
            // What was popped has no log.
            for (attempt, _) in page where !attempt.isPopped {
                UWSDocuments.result("log-\(attempt.elementID)", "text/plain", url: url, &xml)
                if attempt.listingLength != nil {
                    UWSDocuments.result("listing-\(attempt.elementID)", "application/json", url: url, &xml)
                }
            }
            if page.count < Self.page { break }
            try await writer.write(xml.take())
            page = try await results(of: job, after: (last.elementID, last.number))
        }
    }

    private func result(_ name: String, of job: Job) async throws -> HTTPResponse {
        if name == "result", job.stage.isEnded, job.isSound {
            return JSONText.response(writing: JobDocument(job, withCounts: true))
        }
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let number = Int(id: parts[1]),
            let attempt = try await engine.latestAttempt(ofElement: number, ofJob: job.id), !attempt.isPopped
        else { throw Refusal.nothing("The job has no such result.") }
        switch parts[0] {
        case "log":
            guard let log = try await log(of: attempt, job) else { throw Self.missing("log", attempt) }
            return log
        case "listing" where attempt.listingLength != nil: return try await listing(of: attempt, job)
        default: throw Refusal.nothing("The job has no such result.")
        }
    }

    /// - Returns: nil where it is gone.
    private func log(of attempt: Attempt, _ job: Job) async throws -> HTTPResponse? {
        guard try await engine.logsExist([attempt], of: job) == [true] else { return nil }
        return HTTPResponse(
            headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .stream { [engine] writer in
                try await engine.eachLogPiece(of: attempt, job) { try await writer.write($0) }
            })
    }

    private func listing(of attempt: Attempt, _ job: Job) async throws -> HTTPResponse {
        guard try await engine.listingExists(of: attempt, job) else { throw Self.missing("listing", attempt) }
        return HTTPResponse(
            headers: ["Content-Type": "application/json"],
            body: .stream { [engine] writer in
                try await engine.eachListingPiece(of: attempt, job, as: .long) { try await writer.write($0) }
            })
    }

    private static func missing(_ what: String, _ attempt: Attempt) -> Refusal {
        .nothing("The \(what) of attempt \(attempt.number) at element \(attempt.elementID) is gone.")
    }

    /// Why a job failed, in a line.
    func failure(of job: Job) async throws -> String {
        guard let element = try await engine.culprit(ofJob: job.id) else { return "It failed." }
        let reason = element.reason ?? element.errorClass?.rawValue ?? "unknown"
        return job.isSound ? "Element \(element.id): \(reason)" : reason
    }

    /// `/error`: the log of the last failed attempt; where there is none, or none any more, the reason.
    private func error(of job: Job) async throws -> HTTPResponse {
        guard job.stage == .failed else { throw Refusal.nothing("The job has no error.") }
        if let element = try await engine.culprit(ofJob: job.id),
            let attempt = try await engine.latestAttempt(ofElement: element.id, ofJob: job.id), !attempt.isPopped,
            let log = try await log(of: attempt, job)
        {
            return log
        }
        return HTTPResponse(text: try await failure(of: job) + "\n")
    }
}
