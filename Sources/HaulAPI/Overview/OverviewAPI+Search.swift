import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension OverviewAPI {
    /// `GET /search?server=&documentSetId=&q=&limit=`: the entries of the listing whose paths hold what is looked for, in
    /// whatever case; all of them where nothing is; no more than the limit where one is given.
    func addSearchRoutes(to router: inout Router) {
        router.on("GET", "/search", gate: gate(.readJobs)) { request, _ in
            let parameters = try OverviewParameters(request)
            let who = try await principal(of: request, nil, .readJobs)
            let wanted = try await self.request(parameters, who)
            guard let job = try await engine.joined(wanted, user: who.user), job.stage == .done,
                let search = try await engine.search(
                    listingOf: 0, job, for: SoughtWords(parameters.words ?? ""), most: parameters.limit)
            else { throw Problem.notGenerated }
            let response = try await JSONStream(isLines: false).response(of: search) { Self.document($0) }
            return door.watched(response, request.head)
        }
    }

    private static func document(_ found: ListingSearch.Found) -> [UInt8] {
        let entry = found.entry
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("mtime")
            writer.value(entry.modified)
            writer.key("path")
            writer.value(found.path)
            writer.key("size")
            writer.value(entry.size)
            writer.key("type")
            writer.value(entry.kind.rawValue)
        }
        return writer.bytes
    }
}

extension Problem {
    fileprivate static var notGenerated: Problem {
        Problem(
            ProblemDocument(
                status: 404, title: "Not found", code: "not_generated",
                detail: "There is no listing of this path at this server yet.",
                hint: "POST /overview/generate makes one; it is there when that ends with the returncode 0."))
    }
}
