import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// Outcomes that one request reports.
    private static let resultsLimit = 1000

    /// `PUT /worker/jobs/J/elements/E`: ends the attempt.
    func report(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        let token = try Self.elementToken(request.head)
        let job = try path.number("job")
        let element = try path.number("element")
        try engine.checkToken(token, job: job, element: element)
        var fields = Fields(try JSONText.object(request.body))
        let report = try Self.report(&fields, job: job, element: element, token: token)
        switch try await engine.report([report]).first {
        case .accepted, .repeated: return JSONText.response(JSONValue.object([:]))
        case .refused(let error): throw error
        case nil: throw Problem.fault(cause: "a report had no verdict")
        }
    }

    /// `POST /worker/results`: up to 1,000 outcomes in one commit, a status each. One that can't be read is a 400 of its
    /// own and takes none with it.
    func results(_ request: HTTPRequest) async throws -> HTTPResponse {
        _ = try await principal(of: request, .work)
        let body = try JSONText.value(request.body)
        guard let items = body.array ?? body.object?["results"]?.array else {
            throw Problem.fields(["results": "is missing: must be a list of outcomes"])
        }
        guard items.count <= Self.resultsLimit else { throw Problem.tooMany(Self.resultsLimit, "outcomes") }
        var replies = [ResultsReply.Item?](repeating: nil, count: items.count)
        var reports: [(place: Int, report: Report)] = []
        for (place, item) in items.enumerated() {
            do { reports.append((place, try Self.item(item))) } catch let problem as Problem {
                replies[place] = Self.reply(problem)
            }
        }
        for (report, verdict) in zip(reports, try await engine.report(reports.map(\.report))) {
            switch verdict {
            case .accepted, .repeated: replies[report.place] = ResultsReply.Item(status: 200)
            case .refused(let error): replies[report.place] = Self.reply(Problem(answering: error))
            }
        }
        return JSONText.response(writing: ResultsReply(results: replies.compactMap { $0 }))
    }

    private static func reply(_ problem: Problem) -> ResultsReply.Item {
        ResultsReply.Item(status: problem.document.status, detail: problem.document.detail)
    }

    private static func item(_ value: JSONValue) throws -> Report {
        guard let object = value.object else { throw Problem.noObject("An outcome is an object.") }
        var fields = Fields(object)
        let job = fields.required("job_id") { $0.int($1) }
        let element = fields.required("element_id") { $0.int($1) }
        let token = fields.required("token") { $0.text($1, limit: 256) }
        return try report(&fields, job: job ?? 0, element: element ?? 0, token: token ?? "")
    }

    /// Reads an outcome; `host` may be a text or a list of them.
    private static func report(
        _ fields: inout Fields, job: Int, element: Int, token: String
    ) throws -> Report {
        let returnCode = fields.required("returncode") { $0.int($1) }
        let host: String?
        if fields.value("host")?.array != nil {
            host = fields.list("host", "names", \.string)?.joined(separator: ", ")
        } else {
            host = fields.text("host").map { Self.cut($0, to: 1024) }
        }
        let log = fields.text("log", limit: 64 << 20)
        let timestamp = fields.value("timestamp")
        let listing = fields.value("listing").flatMap { value -> [ListingLine]? in
            let lines = ListingLine.lines(fromDocument: value)
            if lines == nil {
                fields.note("listing", "must be {\"dir\": [{\"name\", \"st_size\", \"st_mode\", \"st_mtime\"}]}")
            }
            return lines
        }
        let errorClass = fields.text("error_class").map { Self.cut($0, to: 64) }
        let errorSite = fields.int("error_site", in: 0...Int.max)
        let reason = fields.text("reason").map { Self.cut($0, to: 4096) }
        let checksum = fields.text("checksum").map { Self.cut($0, to: 256) }
        let transferred = fields.int("transferred", in: -1...Int.max)
        try fields.check()
        var parts = [
            "\(returnCode ?? 0)", host ?? "", errorClass ?? "", reason ?? "", checksum ?? "",
            transferred.map(String.init) ?? "", timestamp.map(Self.text) ?? "", log ?? "",
            listing.map { $0.map(Self.text).joined(separator: "\n") } ?? "",
        ]
        if let errorSite { parts.append("\(errorSite)") }
        return Report(
            jobID: job, elementID: element, token: token, returnCode: returnCode ?? 0, host: host ?? "",
            log: Array((log ?? "").utf8), listing: listing, errorClass: errorClass.flatMap(ErrorClass.init),
            blamedSite: errorSite, reason: reason, checksum: checksum, transferred: transferred,
            sent: parts)
    }

    /// A text no longer than `limit` bytes. An outcome must not be lost because it has too much to say.
    private static func cut(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limit)
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }

    /// A value as a report's hash sees it.
    private static func text(_ value: JSONValue) -> String {
        if let text = value.string { return text }
        var writer = JSONWriter()
        writer.value(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// A line of a listing as a report's hash sees it.
    private static func text(_ line: ListingLine) -> String {
        guard let entry = line.entry else { return line.directory }
        return "\(line.directory)/\(entry.name) \(entry.size) \(entry.mode) \(entry.modified)"
    }

    /// `PUT /worker/jobs/J/elements/E/monitoring`: what moved so far.
    func progress(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        let token = try Self.elementToken(request.head)
        let job = try path.number("job")
        let element = try path.number("element")
        try engine.checkToken(token, job: job, element: element)
        var fields = Fields(try JSONText.object(request.body))
        let transferred = fields.required("transferred") { $0.int($1, in: -1...Int.max) }
        let elapsed = fields.number("elapsed")
        let instant = fields.number("instant")
        let average = fields.number("average")
        try fields.check()
        let progress = Attempt.Progress(
            transferred: transferred ?? 0, elapsed: elapsed ?? 0, instant: instant ?? 0, average: average ?? 0)
        let isWatched = try await engine.progress(progress, job: job, element: element, token: token)
        return JSONText.response(ProgressReply(watched: isWatched))
    }
}
