import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

extension OverviewAPI {
    /// `POST /generate`: an array of how far it is, piece by piece as that changes; of what was done before, an empty one.
    func addGenerationRoutes(to router: inout Router) {
        router.on("POST", "/generate", gate: gate(.changeJobs)) { request, _ in
            let parameters = try OverviewParameters(request)
            let who = try await principal(of: request, parameters, .changeJobs)
            let wanted = try await self.request(parameters, who)
            let job = try await generating(wanted, who, request)
            let isReady = job.stage == .done
            let response = HTTPResponse(
                headers: [
                    "Content-Type": "application/json", "Cache-Control": "no-store", "X-Accel-Buffering": "no",
                ],
                body: .stream { writer in
                    try await writer.write(Array("[".utf8))
                    if !isReady { try await tell(of: job.id, to: writer) }
                    try await writer.write(Array("]".utf8))
                })
            return door.watched(response, request.head)
        }
    }

    /// The job that makes the listing, or made it: one whose listing is gone, or that never had one as a task
    /// that was popped, is forgotten, and made anew.
    ///
    /// - Throws: 503 where it can't be told now whether it is there.
    private func generating(_ wanted: JobRequest, _ who: Principal, _ request: HTTPRequest) async throws -> Job {
        while true {
            let (job, isNew) = try await engine.join(wanted, user: who.user, by: who.actor(request))
            if isNew || job.stage != .done { return job }
            if try await hasListing(job) { return job }
            try await engine.forgetJoined(job: job.id)
            try Task.checkCancellation()
        }
    }

    private func hasListing(_ job: Job) async throws -> Bool {
        guard let attempt = try await engine.latestAttempt(ofElement: 0, ofJob: job.id) else { return false }
        return try await engine.listingExists(of: attempt, job)
    }

    private func tell(of job: Int, to writer: HTTPBodyWriter) async throws {
        var isFirst = true
        try await engine.stand(by: job) { standing in
            var reason: String?
            var isReady = false
            // Where that can't be told now, whoever asks for the listing hears of it.
            if let job = standing?.job, job.stage == .done { isReady = (try? await hasListing(job)) ?? true }
            if standing?.job.stage == .failed { reason = try await engine.culprit(ofJob: job)?.reason }
            let progress = OverviewDocuments.progress(OverviewState(standing, reason: reason, isReady: isReady))
            try await writer.write((isFirst ? [] : Array(",".utf8)) + progress)
            isFirst = false
        }
    }
}
