import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// What users do with jobs that are registered.
    func addControlRoutes(to router: inout Router) {
        router.on("DELETE", "/jobs/:job") { request, path in
            let job = try await engine.cancel(job: try await job(path, request, .changeJobs).id)
            // 202 while some of it still runs or waits for its turn.
            return JSONText.response(
                writing: JobDocument(job, withCounts: true), status: job.status.isEnded ? 200 : 202)
        }
        router.on("DELETE", "/jobs/:job/elements/:element") { request, path in
            let (job, element) = try await element(path, request, .changeJobs)
            let cancelled = try await engine.cancel(element: element.id, ofJob: job.id)
            return JSONText.response(ElementDocument(cancelled), status: cancelled.phase.isEnded ? 200 : 202)
        }
        router.on("POST", "/jobs/:job/retry") { request, path in
            let principal = try await principal(of: request, .changeJobs)
            let job = try await engine.retry(
                job: try await job(path, request, .changeJobs).id, user: principal.user,
                key: try Self.idempotencyKey(request))
            return JSONText.response(writing: JobDocument(job, withCounts: true))
        }
        router.on("PATCH", "/jobs/:job") { request, path in
            let id = try await job(path, request, .changeJobs).id
            let change: JobChange
            do { change = try JobChange(try JSONText.object(request.body)) } catch let error as FieldProblems {
                throw Problem.fields(error.fields)
            }
            return JSONText.response(writing: JobDocument(try await engine.change(job: id, change), withCounts: true))
        }
    }
}
