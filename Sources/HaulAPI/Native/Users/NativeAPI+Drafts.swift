import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Jobs that are registered first and committed later.
    func addDraftRoutes(to router: inout Routes) {
        let register = Route(
            "Register a job that is not committed: nothing of it is checked or handed out before", .changeJobs,
            headers: Route.idempotent, body: .json(.values), answers: .ok(JobDocument.counted), .usedKey, .goneKey)
        router.on("POST", "/drafts", register) { request, _ in
            let who = try await principal(of: request, .changeJobs)
            let draft = JobDraft(document: try JSONText.object(request.body))
            let job = try await engine.register(
                draft, user: who.user, key: try Self.idempotencyKey(request), by: who.actor(request))
            return JSONText.response(writing: JobDocument(job, withCounts: true))
        }
        let show = Route("What was asked of a job", .readJobs, answers: .ok(.values))
        router.on("GET", "/jobs/:job/parameters", show) { request, path in
            JSONText.response(JSONValue.object(try await job(path, request).parameters))
        }
        let change = Route(
            "Change what is asked of a job that is not committed; null takes a field away", .changeJobs,
            body: .json(.values), answers: .ok(.values), .conflict("It is committed."))
        router.on("PATCH", "/jobs/:job/parameters", change) { request, path in
            let (job, who) = try await own(path, request)
            let changed = try await engine.changeParameters(
                ofJob: job.id, try JSONText.object(request.body), by: who.actor(request))
            return JSONText.response(JSONValue.object(changed.parameters))
        }
        let commit = Route(
            "Commit a job: it waits to be handed out; what can't be run is FAILED, and its element 0 says why",
            .changeJobs, answers: .ok(JobDocument.counted), .conflict("It is committed."))
        router.on("POST", "/jobs/:job/commit", commit) { request, path in
            let (job, who) = try await own(path, request)
            let committed = try await engine.commit(job: job.id, user: who.siteUser, by: who.actor(request))
            return JSONText.response(writing: JobDocument(committed, withCounts: true))
        }
    }

    /// The job that the path names, if it is that of the one who asks: it runs as its owner, so an operator has no say in
    /// what it does.
    private func own(_ path: PathParameters, _ request: HTTPRequest) async throws -> (job: Job, who: Principal) {
        let (job, who) = try await known(path, request, .changeJobs)
        guard job.userID == who.user.id else {
            throw Problem.forbidden(
                "not_owner", "Job \(job.id) is another user's: only that one says what it does, and commits it.",
                hint: "Cancel or remove it, or register one of your own.")
        }
        return (job, who)
    }
}
