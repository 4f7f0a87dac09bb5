import Foundation
import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel

extension ClockworkAPI {
    func addJobRoutes(to router: inout Router) {
        on(&router, "GET", "/jobs/list", .readJobs) { request, parameters, who in
            door.watched(try await list(parameters, who, request.head), request.head)
        }
        on(&router, "GET", "/jobs/one", .readJobs) { request, parameters, who in
            guard let job = try await seen(parameters, who) else { return Self.nothing }
            let properties = try await engine.properties(ofJob: job.id)
            return Self.json(ClockworkDocuments.job(job, try await context(of: [job], request.head), properties))
        }
    }

    private func context(of jobs: [Job], _ head: HTTPRequestHead) async throws -> ClockworkDocuments.Context {
        ClockworkDocuments.Context(
            around: try await engine.surroundings(of: jobs), outcomes: try await engine.outcomes(of: jobs),
            sites: try await sites(of: jobs), prefix: head.outside.prefix)
    }

    /// The sites, those of these jobs among them.
    func sites(of jobs: [Job]) async throws -> SiteDirectory {
        let places = jobs.filter { $0.place != JobFilter.nowhere }.flatMap { [$0.source, $0.destination] }
        return try await engine.siteDirectory(with: places.compactMap { $0?.siteID })
    }

    /// The job that the parameters name; nil for one that is not there. Ids are not used twice: it is never ambiguous.
    ///
    /// - Throws: 400 where they name none.
    func named(_ parameters: ClockworkParameters) async throws -> Job? {
        guard let text = try parameters.text("job_id") else { throw Refusal.invalid("Missing argument job_id.") }
        let cluster = try parameters.text("cluster_name")
        guard let id = Int(id: text), let job = try await engine.job(id) else { return nil }
        if let cluster, job.place != (try await siteID(cluster)) { return nil }
        return job
    }

    /// The same, where the one who asks may see it.
    func seen(_ parameters: ClockworkParameters, _ who: Principal) async throws -> Job? {
        try await named(parameters).flatMap { who.mayRead($0) ? $0 : nil }
    }

    /// A site by its name or id, maybe one that is gone; nil for a name that is none.
    private func siteID(_ text: String) async throws -> Int? {
        if let site = engine.rules.sites.site(text) { return site.id }
        if let id = text == ClockworkDocuments.nowhere ? JobFilter.nowhere : Int(id: text) { return id }
        // Another server may have made the site a moment ago.
        return try await engine.latestRules().sites.site(text)?.id
    }

    /// What of a list is wanted.
    private struct Selection {
        var filter = JobFilter()
        var newestFirst = true
        /// Those that stand before it, and how many it has at most; nil is all.
        var skipped = 0
        var limit: Int?
        /// Nothing can be in it: a name that it is narrowed to is nobody's.
        var isEmpty = false
    }

    /// Jobs that are counted at most, and that stand before the end of a page.
    private static let most = 100_000

    private func selection(_ parameters: ClockworkParameters, _ who: Principal) async throws -> Selection {
        var wanted = Selection()
        wanted.filter.userID = who.isOperator ? nil : who.user.id
        for name in ["user", "username"] {
            guard let name = try parameters.text(name) else { continue }
            let id = name == who.user.name ? who.user.id : who.isOperator ? try await engine.user(named: name)?.id : nil
            wanted.filter.userID = wanted.filter.userID.map { $0 == id ? $0 : -1 } ?? id ?? -1
        }
        wanted.isEmpty = wanted.filter.userID == -1
        if let cluster = try parameters.text("cluster_name") {
            wanted.filter.placeID = try await siteID(cluster)
            if wanted.filter.placeID == nil { wanted.isEmpty = true }
        }
        for name in ["time", "relative_time"] {
            let longest = 100_000_000_000
            guard let seconds = try parameters.integer(name, in: -longest...longest) else { continue }
            let since = engine.world.now().adding(seconds: -Double(seconds))
            wanted.filter.endedSince = max(since, wanted.filter.endedSince ?? since)
        }
        let states = parameters.all("job_state").compactMap(\.string).flatMap { $0.split(separator: ",") }
        if !states.isEmpty {
            // One that no job is ever in has no jobs.
            let known = states.compactMap {
                ClockworkState(rawValue: $0.trimmingCharacters(in: .whitespaces).uppercased())
            }
            ClockworkState.narrow(&wanted.filter, to: Set(known))
        }
        let order = try parameters.text("sort_by") ?? "submit_time"
        guard ["submit_time", "job_id"].contains(order) else {
            throw Refusal.invalid("Field 'sort_by' can be submit_time or job_id, which is the same order.")
        }
        wanted.newestFirst = try parameters.integer("sort_asc", in: -1...1) != 1
        let number = try parameters.integer("page_num", in: 1...Int.max)
        let items = try parameters.integer("nbr_items_per_page", in: 1...Int.max)
        if number != nil || items != nil {
            let limit = items ?? 40
            let (end, isTooFar) = (number ?? 1).multipliedReportingOverflow(by: limit)
            guard !isTooFar, end <= Self.most else {
                throw Refusal.invalid(
                    "Fields 'page_num' and 'nbr_items_per_page': a page ends at job \(Self.most) of a list at most."
                        + " Narrow the list, or ask for it without pages.")
            }
            wanted.skipped = end - limit
            wanted.limit = limit
        }
        return wanted
    }

    /// `GET jobs/list`: one page of the database after the other.
    private func list(
        _ parameters: ClockworkParameters, _ who: Principal, _ head: HTTPRequestHead
    ) async throws -> HTTPResponse {
        let wanted = try await selection(parameters, who)
        var total: Int?
        if try parameters.flag("want_count") {
            // One more says that there are more.
            total = wanted.isEmpty ? 0 : try await engine.count(wanted.filter, most: Self.most + 1)
        }
        var after = wanted.newestFirst ? Int.max : 0
        var limit = wanted.isEmpty ? 0 : wanted.limit ?? Int.max
        if wanted.skipped > 0, limit > 0 {
            let first = try await engine.job(
                wanted.filter, afterMany: wanted.skipped, newestFirst: wanted.newestFirst)
            // A page takes what comes after it.
            if let first { after = wanted.newestFirst ? first + 1 : first - 1 } else { limit = 0 }
        }
        let (start, most, count) = (after, limit, total)
        let first = try await page(wanted, after: start, limit: most)
        return HTTPResponse(
            headers: ["Content-Type": "application/json"],
            body: .stream { writer in
                if count != nil { try await writer.write(Array("{\"jobs\":".utf8)) }
                var sink = JSONStream.Sink(writer: writer, isLines: false)
                var jobs = first
                var left = most
                while let last = jobs.last {
                    try await write(jobs, head, to: &sink)
                    left -= jobs.count
                    if jobs.count < Self.page || left <= 0 { break }
                    jobs = try await page(wanted, after: last.id, limit: left)
                }
                try await sink.finish()
                if let count { try await writer.write(Array(",\"nbr_total_jobs\":\(count)}".utf8)) }
            })
    }

    private func page(_ wanted: Selection, after: Int, limit: Int) async throws -> [Job] {
        if limit <= 0 { return [] }
        return try await engine.jobs(
            wanted.filter, after: after, limit: min(limit, Self.page), newestFirst: wanted.newestFirst)
    }

    /// Writes a page's jobs, whose dicts may be long, so many at once as are short together.
    private func write(_ jobs: [Job], _ head: HTTPRequestHead, to sink: inout JSONStream.Sink) async throws {
        let context = try await context(of: jobs, head)
        let around = context.around
        var rest = jobs[...]
        while !rest.isEmpty {
            var bytes = 0
            let some = rest.prefix { job in
                defer { bytes += around.propertySizes[job.id] ?? 0 }
                return bytes < 1 << 20
            }
            rest = rest.dropFirst(some.count)
            let properties = try await engine.properties(
                ofJobs: some.map(\.id).filter { around.propertySizes[$0] != nil })
            for job in some {
                sink.begin()
                let own = properties[job.id] ?? Engine.noProperties
                try await sink.write(ClockworkDocuments.job(job, context, own))
            }
        }
    }
}
