import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Seconds for which an answer waits at most: also that to a claim.
    static let longestWait = 60.0

    /// `GET /jobs/J?wait=SECONDS`: at once, or when the job is at another stage or the time is over; no thread waits.
    func showJob(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        var job = try await job(path, request)
        var query = QueryReader(request)
        let seconds = query.number("wait", from: 0) ?? 0
        try query.check()
        if seconds > 0, !job.stage.isEnded {
            let before = job.stage
            let later = try await engine.wait(for: job.id, seconds: min(Double(seconds), Self.longestWait)) {
                $0.stage == before
            }
            guard let later else { throw EngineError.noJob(job.id) }
            job = later
        }
        return JSONText.response(writing: JobDocument(job, withCounts: true))
    }

    /// `GET /jobs/J/events`: server-sent events (WHATWG HTML, 9.2), from what `Last-Event-ID` has seen.
    ///
    /// `status` when the job's status is another, `progress` when anything else of it changed, bytes of it moved, or fewer
    /// or more are ahead of it, `done` last; the data is the job's document with that, the id its revision: neither raises it.
    func watchJob(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        let job = try await job(path, request)
        let text = request.headers["Last-Event-ID"] ?? ""
        guard let seen = text.isEmpty ? 0 : Int(text), seen >= 0 else {
            throw Problem.invalid(
                "bad_event_id", "Last-Event-ID must be the id of an event: an integer.",
                hint: "Leave it out to begin with the job as it is now.")
        }
        // Whoever has seen the end is told not to come again: event sources reconnect for ever otherwise.
        if seen >= job.revision, job.status.isEnded { return HTTPResponse(status: 204) }
        return HTTPResponse(
            headers: [
                "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            ],
            body: .stream { writer in
                var status: Status?
                // What a watcher has seen already, it is told again where it can't be known what came after it.
                try await engine.watch(job.id, after: min(seen, job.revision)) { standing in
                    guard let job = standing?.job else { return try await writer.write(Array(": still here\n\n".utf8)) }
                    let name = job.status.isEnded ? "done" : job.status == status ? "progress" : "status"
                    status = job.status
                    let head = "id: \(job.revision)\nevent: \(name)\ndata: "
                    let event = JobEventDocument(job, progress: standing?.progress, ahead: standing?.ahead)
                    let data = JSONText.bytes(writing: event)
                    try await writer.write(Array(head.utf8) + data + [0x0A, 0x0A])
                }
            })
    }
}
