import Foundation
import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Rows of one short read behind a stream.
    static let page = 500

    /// `GET /jobs`: narrowed by what ``filter(_:)`` reads, `?last=&limit=&after=`; with `last` the newest come first, and
    /// `after` is an id that all of them are below. With `count=1` how many there are, however many of them are wanted.
    func listJobs(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await principal(of: request, .readJobs)
        var query = QueryReader(request)
        var filter = filter(&query, try await sites(named: request))
        let counts = query.parse("count", "0 or 1") { ["1": true, "0": false][$0] } ?? false
        let last = query.number("last", from: 1)
        let after = query.number("after", from: 0) ?? (last == nil ? 0 : Int.max)
        let limit = query.number("limit", from: 0)
        let user = query.text("user")
        try query.check()
        filter.userID = principal.user.id
        if let user, user != principal.user.name {
            guard principal.isOperator else { throw Problem.notAllowed(principal, [.operate]) }
            if user == "*" {
                filter.userID = nil
            } else {
                // Nobody of that name has no jobs.
                filter.userID = try await engine.user(named: user)?.id ?? -1
            }
        }
        let narrowed = filter
        if counts {
            // One more says that there are more.
            let count = try await engine.count(narrowed, most: JobCountDocument.most + 1)
            return JSONText.response(JobCountDocument(count))
        }
        let most = [last, limit].compactMap(\.self).min()
        return try await stream(request, after: after, limit: most) { [engine] after, count in
            let jobs = try await engine.jobs(narrowed, after: after, limit: count, newestFirst: last != nil)
            return jobs.map { ($0.id, $0) }
        } write: { job, sink in
            try await sink.write(JSONText.bytes(writing: JobDocument(job, withCounts: true)))
        }
    }

    /// The sites, also one that another server made a moment ago and that the query names.
    private func sites(named request: HTTPRequest) async throws -> SiteDirectory {
        let known = engine.rules.sites
        let named = request.query.filter { ["site", "place"].contains($0.name) }
        if named.allSatisfy({ known.site($0.value) != nil }) { return known }
        return try await engine.latestRules().sites
    }

    /// What of jobs is wanted: `status`, `stage`, `type`, `queue`, `site`, `place`, `since`, `registered_after`,
    /// `ended_since`, `error_class`, `returncode`.
    private func filter(_ query: inout QueryReader, _ sites: SiteDirectory) -> JobFilter {
        var filter = JobFilter()
        filter.status = query.parse("status", "a status: NEW, DONE, FAILED, SUBMITTED, RUNNING or CANCELLED") {
            Status(text: $0)
        }
        filter.type = query.parse("type", "a type: LIST, COPY, REMOVE, RENAME or MKDIR") { JobType(text: $0) }
        filter.queue = query.text("queue")
        filter.siteID = query.parse("site", "the id or name of a site") { sites.site($0)?.id }
        filter.placeID = query.parse("place", "the name of a site, the id of one, maybe of one that is gone, or none") {
            if let site = sites.site($0) { return site.id }
            return $0 == "none" ? JobFilter.nowhere : Int(id: $0).flatMap { $0 > 0 ? $0 : nil }
        }
        filter.since = query.parse("since", "a time: 2026-01-31T12:00Z, a date, or seconds since 1970") {
            Timestamp(text: $0)
        }
        filter.registeredAfter = query.parse("registered_after", "a time, as since") { Timestamp(text: $0) }
        filter.endedSince = query.parse("ended_since", "a time, as since") { Timestamp(text: $0) }
        filter.stages = query.names("stage", "stages, with commas: \(JobStage.names.joined(separator: ", "))") {
            JobStage(rawValue: $0)
        }
        let classes = ErrorClass.allCases.map(\.rawValue).joined(separator: ", ")
        filter.failures = query.names("error_class", "classes, with commas: \(classes)") { ErrorClass(rawValue: $0) }
        // They are of those that failed; others have none.
        if filter.failures != nil { filter.stages = filter.stages?.intersection([.failed]) ?? [.failed] }
        filter.returnCode = query.parse("returncode", "an integer of 32 bits") { Int32($0).map(Int.init) }
        return filter
    }

    /// `GET /jobs/J/elements?status=&after=&limit=&listing=none`. Elements of no job, or of someone else's: `[]`.
    func listElements(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await principal(of: request, .readJobs)
        let id = try path.number("job")
        var query = QueryReader(request)
        let status = query.parse("status", "a status: NEW, DONE, FAILED, SUBMITTED, RUNNING or CANCELLED") {
            Status(text: $0)
        }
        let after = query.number("after", from: -1) ?? -1
        let limit = query.number("limit", from: 0)
        let form = query.listingForm(allowsNone: true)
        try query.check()
        let job = try await engine.job(id)
        guard let job, principal.mayRead(job) else { return JSONStream(for: request).response { _ in } }
        return try await stream(request, after: after, limit: limit) { [engine] after, count in
            let elements = try await engine.elements(ofJob: id, status: status, after: after, limit: count)
            return elements.map { ($0.id, $0) }
        } write: { element, sink in
            try await write(element, of: job, form, to: &sink)
        }
    }

    /// `GET /jobs/J/elements/E`.
    func showElement(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        var query = QueryReader(request)
        let form = query.listingForm(allowsNone: true)
        let (job, element) = try await element(path, request)
        try query.check()
        return watched(
            JSONStream.one { sink in try await write(element, of: job, form, to: &sink) }, request.head)
    }

    /// `GET /jobs/J/elements/E/listing?q=&limit=`: entries of the listing by their paths, in its order.
    func searchListing(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        let (job, element) = try await element(path, request)
        var query = QueryReader(request)
        let words = query.parse("q", "a text of up to \(SoughtWords.most) bytes") {
            $0.utf8.count <= SoughtWords.most ? SoughtWords($0) : nil
        }
        let limit = query.number("limit", from: 0)
        try query.check()
        let search = try await engine.search(
            listingOf: element.id, job, for: words ?? SoughtWords(""), most: limit)
        guard let search else { throw Problem.noListing(element) }
        let response = try await JSONStream(for: request).response(of: search) {
            JSONText.bytes(writing: FoundEntryDocument(path: $0.path, $0.entry), capacity: 256)
        }
        return watched(response, request.head)
    }

    /// An element's document; behind it, streamed from disk, the listing that a LIST found.
    private func write(
        _ element: Element, of job: Job, _ form: QueryReader.ListingForm, to sink: inout JSONStream.Sink
    ) async throws {
        let document = JSONText.bytes(ElementDocument(element))
        // A listing that the disk lost takes nothing with it but itself; the output of its attempt says what is wrong.
        guard form != .none, element.type == .list, element.phase == .done,
            let attempt = try await engine.attempt(
                AttemptID(jobID: job.id, elementID: element.id, number: element.attempts)),
            try await engine.listingExists(of: attempt, job)
        else { return try await sink.write(document) }
        try await sink.write(Array(document.dropLast()))
        try await sink.write(",\"listing\":[")
        try await writeListing(of: attempt, job, form, to: &sink)
        try await sink.write("]}")
    }

    /// Streams what pages hold, after the first page was read: what fails before the first byte is an honest error.
    func stream<Row: Sendable>(
        _ request: HTTPRequest, after start: Int, limit: Int?,
        page read: @escaping @Sendable (_ after: Int, _ count: Int) async throws -> [(id: Int, row: Row)],
        write: @escaping @Sendable (Row, inout JSONStream.Sink) async throws -> Void
    ) async throws -> HTTPResponse {
        let first = try await read(start, min(limit ?? Self.page, Self.page))
        let response = JSONStream(for: request).response { sink in
            var rows = first
            var left = limit ?? Int.max
            while let last = rows.last, left > 0 {
                for (_, row) in rows {
                    sink.begin()
                    try await write(row, &sink)
                }
                left -= rows.count
                if rows.count < Self.page || left <= 0 { break }
                rows = try await read(last.id, min(left, Self.page))
            }
        }
        return watched(response, request.head)
    }
}

extension Problem {
    fileprivate static func noListing(_ element: Element) -> Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "no_listing",
                detail: "Element \(element.id) of job \(element.jobID) has no listing.",
                hint: "A LIST element has one once it is DONE (GET /jobs/\(element.jobID)/elements/\(element.id))."))
    }
}
