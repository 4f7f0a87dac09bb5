import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// The documented routes of users.
    func addUserRoutes(to router: inout Routes) {
        addRegistrationRoutes(to: &router)
        addDraftRoutes(to: &router)
        let list = Route(
            "Jobs", .readJobs,
            query: [
                "status?": .statusReference, "type?": .typeReference, "queue?": .text, "site?": .text, "since?": .since,
                "stage?": .stages, "registered_after?": .since.about("Registered later than that"),
                "ended_since?": .since.about("Not ended, or ended then or later"),
                "place?": .text.about("Where its data is in the end: the destination, else the source; none: a TASK's"),
                "error_class?": .errorClasses,
                "returncode?": .integer(-1 << 31...1 << 31 - 1).about("What it ended with"),
                "count?": .one(of: ["0", "1"]).about("1: how many there are, instead of them"),
                "last?": .integer(1...Int.max).about("The newest so many, the newest first"),
                "user?": .text.about("For operators: a name, or * for everybody's"),
                "after?": .count.about("An id; with `last`, all are below it"), "limit?": .count,
            ], answers: .ok(listOf: JobDocument.counted, or: JobCountDocument.schema))
        router.on("GET", "/jobs", list) { request, _ in try await listJobs(request) }
        let show = Route(
            "A job", .readJobs,
            query: [
                "wait?": .count.about(
                    "Until it is at another stage, or so many seconds are over; \(Int(Self.longestWait)) at most"
                )
            ], answers: .ok(JobDocument.counted))
        router.on("GET", "/jobs/:job", show) { request, path in try await showJob(path, request) }
        let status = Route("The status of a job", .readJobs, answers: .ok(JobStatusDocument.schema))
        router.on("GET", "/jobs/:job/status", status) { request, path in
            let job = try await job(path, request)
            return JSONText.response(JobStatusDocument(jobID: job.id, status: job.status))
        }
        addElementRoutes(to: &router)
        let explain = Route("What a job waits for", .readJobs, answers: .ok(ExplanationDocument.schema))
        router.on("GET", "/jobs/:job/explain", explain) { request, path in
            let job = try await job(path, request)
            let found = try await withExpiry(try await engine.explain(job: job.id), job)
            return JSONText.response(ExplanationDocument(found, status: job.status))
        }
        let watch = Route(
            "A job's events, as they happen", .readJobs,
            headers: ["Last-Event-ID?": Schema.count.about("Go on after it")],
            answers: Route.Answer(
                200, "Server-sent events status, progress and done; the data of each is a JobEvent",
                Route.Content(types: [("text/event-stream", Schema.text)])),
            Route.Answer(204, "The end was seen: do not come again"))
        router.on("GET", "/jobs/:job/events", watch) { request, path in
            watched(try await watchJob(path, request), request.head)
        }
        addOutputRoutes(to: &router)
        addControlRoutes(to: &router)
        addPropertyRoutes(to: &router)
    }

    private func addElementRoutes(to router: inout Routes) {
        let list = Route(
            "Elements of a job; none where there is no such job", .readJobs,
            query: [
                "status?": .statusReference, "after?": .integer(-1...Int.max), "limit?": .count,
                "listing?": .one(of: ["none", "short", "long"]),
            ], answers: .ok(listOf: ElementDocument.schema))
        router.on("GET", "/jobs/:job/elements", list) { request, path in try await listElements(path, request) }
        let show = Route(
            "An element", .readJobs, query: ["listing?": .one(of: ["none", "short", "long"])],
            answers: .ok(ElementDocument.schema))
        router.on("GET", "/jobs/:job/elements/:element", show) { request, path in
            try await showElement(path, request)
        }
        let listing = Route(
            "The entries of the listing that an element made, or those whose paths hold some words", .readJobs,
            query: [
                "q?": .text(0...SoughtWords.most).about("What the paths hold, in whatever case"), "limit?": .count,
            ], answers: .ok(listOf: FoundEntryDocument.schema), .notFound("It has no listing, or none yet."))
        router.on("GET", "/jobs/:job/elements/:element/listing", listing) { request, path in
            try await searchListing(path, request)
        }
        let status = Route(
            "The status of an element, and how fast it moves", .readJobs, answers: .ok(ElementStatusDocument.schema))
        router.on("GET", "/jobs/:job/elements/:element/status", status) { request, path in
            let (_, element) = try await element(path, request)
            let progress = try await engine.progress(ofElement: element.id, ofJob: element.jobID)
            return JSONText.response(ElementStatusDocument(element, progress: progress))
        }
        let explain = Route("What an element waits for", .readJobs, answers: .ok(ExplanationDocument.schema))
        router.on("GET", "/jobs/:job/elements/:element/explain", explain) { request, path in
            let (job, element) = try await element(path, request)
            let found = try await withExpiry(try await engine.explain(element: element.id, ofJob: job.id), job)
            return JSONText.response(ExplanationDocument(found, status: element.status))
        }
    }

    /// The job that the path names, if the one who asks may see it, and who that is.
    func known(
        _ path: PathParameters, _ request: HTTPRequest, _ scope: Scope
    ) async throws -> (job: Job, who: Principal) {
        let principal = try await principal(of: request, scope)
        let id = try path.number("job")
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
        let id = try path.number("element")
        guard let element = try await engine.element(id, ofJob: job.id) else {
            throw EngineError.noElement(id, ofJob: job.id)
        }
        return (job, element)
    }
}
