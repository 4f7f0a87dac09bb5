import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// The documented routes of users.
    func addUserRoutes(to router: inout Router) {
        router.on("POST", "/jobs", bodyLimit: 32 << 20) { request, _ in try await register(request) }
        for type in JobType.allCases {
            router.on("POST", "/\(type.name.lowercased())") { request, _ in
                try await register(request, type)
            }
        }
        router.on("GET", "/jobs") { request, _ in try await listJobs(request) }
        router.on("GET", "/jobs/:job") { request, path in
            JSONText.response(writing: JobDocument(try await job(path, request), withCounts: true))
        }
        router.on("GET", "/jobs/:job/status") { request, path in
            let job = try await job(path, request)
            return JSONText.response(JobStatusDocument(jobID: job.id, status: job.status))
        }
        router.on("GET", "/jobs/:job/elements") { request, path in try await listElements(path, request) }
        router.on("GET", "/jobs/:job/elements/:element") { request, path in try await showElement(path, request) }
        router.on("GET", "/jobs/:job/elements/:element/status") { request, path in
            let (_, element) = try await element(path, request)
            let progress = try await engine.progress(ofElement: element.id, ofJob: element.jobID)
            return JSONText.response(ElementStatusDocument(element, progress: progress))
        }
        router.on("GET", "/jobs/:job/explain") { request, path in
            let job = try await job(path, request)
            let found = try await withExpiry(try await engine.explain(job: job.id), job)
            return JSONText.response(ExplanationDocument(found, status: job.status))
        }
        router.on("GET", "/jobs/:job/elements/:element/explain") { request, path in
            let (job, element) = try await element(path, request)
            let found = try await withExpiry(try await engine.explain(element: element.id, ofJob: job.id), job)
            return JSONText.response(ExplanationDocument(found, status: element.status))
        }
        router.on("GET", "/jobs/:job/events") { request, path in
            watched(try await watchJob(path, request), request.head)
        }
        addOutputRoutes(to: &router)
        addControlRoutes(to: &router)
    }

    /// The job that the path names, if the one who asks may see it, and who that is.
    func known(
        _ path: PathParameters, _ request: HTTPRequest, _ scope: Scope
    ) async throws -> (job: Job, who: Principal) {
        let principal = try await principal(of: request, scope)
        let id = try Self.number(path["job"])
        guard let job = try await engine.job(id), principal.mayRead(job) else {
            throw EngineError.noJob(id)
        }
        return (job, principal)
    }

    /// The job that the path names, if the one who asks may see it.
    func job(_ path: PathParameters, _ request: HTTPRequest) async throws -> Job {
        try await known(path, request, .readJobs).job
    }

    /// The element that the path names, if the one who asks may see it.
    func element(_ path: PathParameters, _ request: HTTPRequest) async throws -> (Job, Element) {
        let job = try await job(path, request)
        let id = try Self.number(path["element"])
        guard let element = try await engine.element(id, ofJob: job.id) else {
            throw EngineError.noElement(id, ofJob: job.id)
        }
        return (job, element)
    }

    /// A number in a path. What is none names nothing: 404.
    static func number(_ text: String) throws -> Int {
        guard let number = Int(text) else { throw Problem.noNumber(text) }
        return number
    }
}

extension Principal {
    func mayRead(_ job: Job) -> Bool { isOperator || job.userID == user.id }
}
