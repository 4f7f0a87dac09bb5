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
                let attempt = try await engine.latestAttempt(ofElement: 0, ofJob: job.id),
                try await engine.listingExists(of: attempt, job)
            else { throw Problem.notGenerated }
            let words = SoughtWords(parameters.words ?? "")
            let limit = parameters.limit ?? Int.max
            let first = try await engine.readListing(of: attempt, job, from: 0, limit: Self.lines)
            let response = HTTPResponse(
                headers: ["Content-Type": "application/json"],
                body: .stream { writer in
                    var sink = JSONStream.Sink(writer: writer, isLines: false)
                    var piece = first
                    var found = 0
                    while true {
                        for line in piece.lines where found < limit {
                            guard let entry = line.entry, words.stand(in: Self.path(line.directory, entry)) else {
                                continue
                            }
                            found += 1
                            sink.begin()
                            try await sink.write(Self.document(line.directory, entry))
                        }
                        if piece.isEnd || found >= limit { break }
                        // Who looks for what is not there is written nothing: whether they are gone is seen here.
                        try Task.checkCancellation()
                        piece = try await engine.readListing(of: attempt, job, from: piece.offset, limit: Self.lines)
                    }
                    try await sink.finish()
                })
            return door.watched(response, request.head)
        }
    }

    /// Of a listing that are read at once.
    private static let lines = 1000

    private static func path(_ directory: String, _ entry: ListingEntry) -> String {
        directory.hasSuffix("/") ? directory + entry.name : "\(directory)/\(entry.name)"
    }

    private static func document(_ directory: String, _ entry: ListingEntry) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("mtime")
            writer.value(entry.modified)
            writer.key("path")
            writer.value(path(directory, entry))
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
