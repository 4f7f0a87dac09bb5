import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// What users do with jobs that are registered.
    func addControlRoutes(to router: inout Router) {
        router.on("DELETE", "/jobs/:job") { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            let left = try await engine.cancel(job: job.id, by: who.actor(request))
            // 202 while some of it still runs or waits for its turn.
            return JSONText.response(
                writing: JobDocument(left, withCounts: true), status: left.status.isEnded ? 200 : 202)
        }
        router.on("DELETE", "/jobs/:job/elements/:element") { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            let cancelled = try await engine.cancel(
                element: try Self.number(path["element"]), ofJob: job.id, by: who.actor(request))
            return JSONText.response(ElementDocument(cancelled), status: cancelled.phase.isEnded ? 200 : 202)
        }
        router.on("POST", "/jobs/:job/retry") { request, path in
            let (job, who) = try await known(path, request, .changeJobs)
            let retried = try await engine.retry(
                job: job.id, user: who.user, key: try Self.idempotencyKey(request), by: who.actor(request))
            return JSONText.response(writing: JobDocument(retried, withCounts: true))
        }
        router.on("PATCH", "/jobs/:job") { request, path in
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
