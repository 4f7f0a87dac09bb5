import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// What users do with jobs that are registered.
    func addControlRoutes(to router: inout Routes) {
        let cancel = Route(
            "Cancel a job, or remove it", .changeJobs,
            query: [
                "remove?": Schema.one(of: ["0", "1"]).about(
                    "1: it is cancelled where it has not ended, nobody sees it from now on, and all that there is of it goes"
                )
            ],
            answers: .ok(JobDocument.counted), .accepted(JobDocument.counted), .conflict("It has ended otherwise."))
        router.on("DELETE", "/jobs/:job", cancel) { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            var query = QueryReader(request)
            let removes = query.parse("remove", "0 or 1") { ["1": true, "0": false][$0] } ?? false
            try query.check()
            if removes {
                let seen = try await engine.destroy(job: job.id, by: who.actor(request))
                return JSONText.response(writing: JobDocument(seen, withCounts: true))
            }
            let left = try await engine.cancel(job: job.id, by: who.actor(request))
            // 202 while some of it still runs or waits for its turn.
            return JSONText.response(
                writing: JobDocument(left, withCounts: true), status: left.status.isEnded ? 200 : 202)
        }
        let cancelElement = Route(
            "Cancel an element", .changeJobs, answers: .ok(ElementDocument.schema),
            .accepted(ElementDocument.schema), .conflict("It has ended otherwise."))
        router.on("DELETE", "/jobs/:job/elements/:element", cancelElement) { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            let cancelled = try await engine.cancel(
                element: try path.number("element"), ofJob: job.id, by: who.actor(request))
            return JSONText.response(ElementDocument(cancelled), status: cancelled.phase.isEnded ? 200 : 202)
        }
        let retry = Route(
            "Try what failed or was cancelled again", .changeJobs, headers: Route.idempotent,
            answers: .ok(JobDocument.counted), .conflict("Nothing failed, or a cancel is not through."))
        router.on("POST", "/jobs/:job/retry", retry) { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            let retried = try await engine.retry(
                job: job.id, user: who.user, key: try Self.idempotencyKey(request), by: who.actor(request))
            return JSONText.response(writing: JobDocument(retried, withCounts: true))
        }
        let change = Route(
            "Change a job", .changeJobs, body: .json(.jobChange), answers: .ok(JobDocument.counted),
            .conflict("It has ended."))
        router.on("PATCH", "/jobs/:job", change) { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            let change: JobChange
            do { change = try JobChange(try JSONText.object(request.body)) } catch let error as FieldProblems {
                throw Problem.fields(error.fields)
            }
            let changed = try await engine.change(job: job.id, change, by: who.actor(request))
            return JSONText.response(writing: JobDocument(changed, withCounts: true))
        }
    }
}

extension Route.Answer {
    fileprivate static func accepted(_ schema: Schema) -> Route.Answer {
        Route.Answer(202, "Some of it still runs or waits for its turn", .json(schema))
    }
}
