import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

/// An attempt that ended, and what its output has to know of its element.
private typealias Ended = Engine.EndedAttempt

extension NativeAPI {
    func addOutputRoutes(to router: inout Routes) {
        let all = Route(
            "Logs and listings of a job", .readJobs,
            query: ["attempts?": .one(of: ["latest", "all"]), "listing?": Self.outputForm],
            answers: .ok(listOf: .any(of: [OutputDocument.schema, .list(of: OutputDocument.schema)])), Self.outputGone)
        router.on("GET", "/jobs/:job/output", all) { request, path in try await jobOutput(path, request) }
        let latest = Self.output("The log and listing of an element's latest attempt")
        router.on("GET", "/jobs/:job/elements/:element/output", latest) { request, path in
            let (job, element) = try await element(path, request)
            return try await output(of: element, job, number: nil, request)
        }
        let one = Self.output("The log and listing of an attempt")
        router.on("GET", "/jobs/:job/elements/:element/output/:attempt", one) { request, path in
            let (job, element) = try await element(path, request)
            return try await output(of: element, job, number: path.place("attempt"), request)
        }
    }

    private static let outputForm = Schema.one(of: ["short", "long"])
    private static let outputGone = Route.Answer.problem(500, "A log or listing is not on the disk any more.")

    private static func output(_ summary: String) -> Route {
        let types = Route.Content.json(OutputDocument.schema).types + Route.Content.bytes("text/plain").types
        return Route(
            summary, .readJobs,
            query: ["listing?": outputForm, "follow?": Schema.one(of: ["0", "1"]).about("1: the log, as it grows")],
            answers: Route.Answer(
                200, "It; with follow=1 the log as plain text, to its end", Route.Content(types: types)),
            .problem(400, "No attempt has ended, or not that one."), outputGone)
    }

    /// One attempt's output: the latest that ended, one by its number, or with a negative number counted from the latest.
    private func output(
        of element: Element, _ job: Job, number: Int?, _ request: HTTPRequest
    ) async throws -> HTTPResponse {
        var query = QueryReader(request)
        let form = query.listingForm(allowsNone: false)
        let follows = query.parse("follow", "0 or 1") { ["1": true, "0": false][$0] } ?? false
        try query.check()
        if follows { return watched(try await follow(element, job, number: number), request.head) }
        let latest = try await engine.latestAttempt(ofElement: element.id, ofJob: job.id)
        guard let latest else {
            throw Problem.invalid(
                "output_not_ready", "No attempt at element \(element.id) of job \(job.id) has ended yet.",
                hint:
                    "What it waits for says GET .../explain (haul explain \(job.id) \(element.id)), its log so far ?follow=1 "
                    + "(haul output \(job.id) \(element.id) --follow).")
        }
        let wanted = number.map { $0 < 0 ? latest.number + 1 + $0 : $0 } ?? latest.number
        let found = try await engine.attempt(
            AttemptID(jobID: job.id, elementID: element.id, number: wanted))
        guard let found, found.ended != nil else {
            throw Problem.invalid(
                "no_such_attempt",
                "Element \(element.id) of job \(job.id) has no attempt \(number ?? wanted) that has ended.",
                hint: "Its attempts that ended are 1 to \(latest.number); a negative number counts from the latest.")
        }
        let ended: Ended = (found, element.type)
        try await checkLogs([ended], of: job)
        return watched(
            JSONStream.one { sink in try await write(ended, of: job, form, to: &sink) }, request.head)
    }

    /// The log of an attempt as plain text while it grows, to its end; without a number that of the one which runs, else of
    /// the latest.
    private func follow(_ element: Element, _ job: Job, number: Int?) async throws -> HTTPResponse {
        guard let attempt = try await engine.attempt(toFollow: number, element: element.id, ofJob: job.id) else {
            throw Problem.invalid(
                "no_such_attempt", "Element \(element.id) of job \(job.id) has no such attempt yet.",
                hint:
                    "What it waits for says GET .../explain (haul explain \(job.id) \(element.id)); ask again when it runs."
            )
        }
        return HTTPResponse(
            headers: ["Content-Type": "text/plain; charset=utf-8", "X-Accel-Buffering": "no"],
            body: .stream { writer in
                try await engine.follow(attempt, of: job) { try await writer.write($0) }
            })
    }

    /// `GET /jobs/J/output`: the latest attempt of each element that has one, or with `attempts=all` an array an element.
    private func jobOutput(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        let job = try await job(path, request)
        var query = QueryReader(request)
        let form = query.listingForm(allowsNone: false)
        let isAll = query.parse("attempts", "all or latest") { ["all": true, "latest": false][$0] } ?? false
        try query.check()
        // A missing log is an error of the whole answer, so every one is looked for before the first byte.
        try await eachPage(of: job, latestOnly: !isAll) { try await checkLogs($0, of: job) }
        let response = JSONStream(for: request).response { sink in
            var open: Int?
            var body = sink
            try await eachPage(of: job, latestOnly: !isAll) { page in
                for ended in page {
                    if !isAll {
                        body.begin()
                    } else if open == ended.attempt.elementID {
                        try await body.write(",")
                    } else {
                        if open != nil { try await body.write("]") }
                        body.begin()
                        try await body.write("[")
                        open = ended.attempt.elementID
                    }
                    try await write(ended, of: job, form, to: &body)
                }
            }
            if open != nil { try await body.write("]") }
            sink = body
        }
        return watched(response, request.head)
    }

    private func eachPage(of job: Job, latestOnly: Bool, _ body: ([Ended]) async throws -> Void) async throws {
        var after = (element: -1, number: 0)
        while true {
            let page = try await engine.endedAttempts(
                ofJob: job.id, latestOnly: latestOnly, after: after, limit: Self.page)
            try await body(page)
            guard page.count == Self.page, let last = page.last?.attempt else { return }
            after = (last.elementID, last.number)
        }
    }

    /// - Throws: 500 that says which attempt's log is not there, without a path.
    private func checkLogs(_ page: [Ended], of job: Job) async throws {
        let found = try await engine.logsExist(page.map(\.attempt), of: job)
        for (ended, isThere) in zip(page, found) {
            let hasListing =
                ended.attempt.listingLength == nil
                ? true
                : try await engine.listingExists(of: ended.attempt, job)
            if !isThere || !hasListing {
                throw Self.missing(isThere ? "listing" : "log", ended.attempt.elementID, ended.attempt.number, job)
            }
        }
    }

    private static func missing(_ what: String, _ element: Int, _ attempt: Int, _ job: Job) -> Problem {
        Problem(
            ProblemDocument(
                status: 500, title: "Server error", code: "log_missing",
                detail: "The \(what) of attempt \(attempt) at element \(element) of job \(job.id) is not on the "
                    + "server's disk.",
                hint: "Tell the operators; the outcomes of the job's attempts are not touched by it."),
            cause: "\(what) of \(job.id).\(element).\(attempt) missing in \(job.logUID)")
    }

    /// Streams an attempt's output document, its log and listing from disk in pieces.
    private func write(
        _ ended: Ended, of job: Job, _ form: QueryReader.ListingForm, to sink: inout JSONStream.Sink
    ) async throws {
        let attempt = ended.attempt
        try await sink.write(
            "{\"jobid\":\(job.id),\"elementid\":\(attempt.elementID),\"attempt\":\(attempt.number),"
                + "\"type\":\"\(ended.type.name)\",\"status\":\"\((attempt.status ?? .failed).name)\",\"log\":\"")
        var text = JSONStringEncoder()
        try await engine.eachLogPiece(of: attempt, job) { try await sink.write(text.encode($0)) }
        try await sink.write(text.finish())
        try await sink.write("\"")
        if attempt.listingLength != nil {
            try await sink.write(",\"listing\":")
            try await writeListing(of: attempt, job, form, to: &sink)
        }
        try await sink.write("}")
    }

    /// Streams a listing as one object: names by directory, or with `long` entries as objects.
    func writeListing(
        of attempt: Attempt, _ job: Job, _ form: QueryReader.ListingForm, to sink: inout JSONStream.Sink
    ) async throws {
        try await engine.eachListingPiece(of: attempt, job, as: form == .long ? .long : .short) {
            try await sink.write($0)
        }
    }
}
