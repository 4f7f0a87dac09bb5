import Foundation
import HaulAuth
import HaulEngine
import HaulHTTP
import HaulModel
import HaulWire

extension NativeAPI {
    /// The routes of workers.
    func addWorkerRoutes(to router: inout Routes) {
        let start = Route(
            "Begin a worker's session", .work, body: .json(.workerRegistration),
            answers: .ok(SessionDocument.schema), .conflict("The name's session lives, and has another token."))
        router.on("POST", "/worker/register", start, bodyLimit: 4 << 20) { request, _ in
            try await startSession(request)
        }
        let beat = Route(
            "Renew the leases of a session", .work, body: .json(.heartbeat), answers: .ok(HeartbeatReply.schema),
            .conflict("The session has ended."))
        router.on("POST", "/worker/heartbeat", beat, bodyLimit: 16 << 20) { request, _ in try await heartbeat(request) }
        let claim = Route(
            "Ask for work", .work, body: .json(.claim), answers: .ok(.list(of: ClaimedJob.schema)),
            .notFound("There is no work."), .conflict("The session has ended."))
        router.on("POST", "/worker/jobs", claim) { request, _ in try await self.claim(request) }
        let results = Route(
            "Report many attempts", .work, body: .json(.results), answers: .ok(ResultsReply.schema))
        router.on("POST", "/worker/results", results, bodyLimit: 96 << 20) { request, _ in
            try await self.results(request)
        }
        addElementReportRoutes(to: &router)
    }

    /// What a worker says of an element that it has.
    private func addElementReportRoutes(to router: inout Routes) {
        let element = "/worker/jobs/:job/elements/:element"
        let over = Route.Answer.conflict("The lease is over.")
        let done = Route.Answer.ok(.object([:]))
        let end = Route("Report the end of an attempt", .holder, body: .json(.outcome), answers: done, over)
        router.on("PUT", element, end, bodyLimit: 64 << 20) { request, path in try await report(path, request) }
        let progress = Route(
            "Report what moved so far", .holder, body: .json(.progress), answers: .ok(ProgressReply.schema), over)
        router.on("PUT", element + "/monitoring", progress) { request, path in
            try await self.progress(path, request)
        }
        let offset: KeyValuePairs<String, Schema> = ["offset": Schema.count.about("Bytes that were sent before")]
        let moved = Route.Answer.conflict("The lease is over, or `offset` says where to go on.")
        let log = Route(
            "A piece of an attempt's log", .holder, query: offset, body: .bytes("application/octet-stream"),
            answers: .ok(OffsetDocument.schema), moved)
        router.on("POST", element + "/log", log, bodyLimit: 8 << 20) { request, path in
            try await piece(path, request, engine.appendLog)
        }
        let listing = Route(
            "A piece of an attempt's listing: a line {\"dir\", \"name\", \"st_size\", \"st_mode\", \"st_mtime\"} an entry",
            .holder, query: offset, body: .lines(.listingLines), answers: .ok(OffsetDocument.schema), moved)
        router.on("POST", element + "/listing", listing, bodyLimit: 8 << 20) { request, path in
            try await piece(path, request, engine.appendListing)
        }
    }

    /// `POST /worker/register`.
    private func startSession(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await principal(of: request, .work)
        var fields = Fields(try JSONText.object(request.body))
        let name = fields.required("name") { $0.text($1, limit: 128) }
        let host = fields.text("host", limit: 256)
        let version = fields.text("version", limit: 64)
        let slots = fields.required("slots") { $0.int($1, in: 1...10_000) }
        let protocols = fields.required("protocols") {
            $0.list($1, "manifests, or names of protocols", Self.protocolName)
        }
        let sites = fields.list("sites", "ids or names of sites", siteID)
        if name?.isEmpty == true { fields.note("name", "is empty") }
        try fields.check()
        let worker = WorkerRecord(
            name: name ?? "", host: host ?? request.remoteAddress, version: version ?? "", slots: slots ?? 1,
            protocols: (protocols ?? []).map(\.name), sites: sites ?? [])
        let session = try await engine.startSession(
            worker, bearer: try principal.bearer, by: principal.actor(request))
        return JSONText.response(
            SessionDocument(
                session: session.id, leaseSeconds: engine.configuration.leaseSeconds,
                heartbeatSeconds: engine.configuration.heartbeatSeconds))
    }

    /// `POST /worker/heartbeat`.
    private func heartbeat(_ request: HTTPRequest) async throws -> HTTPResponse {
        let principal = try await principal(of: request, .work)
        var fields = Fields(try JSONText.object(request.body))
        let session = fields.required("session") { $0.int($1) }
        let holding = fields.required("holding") { $0.list($1, "\"JOB.ELEMENT.ATTEMPT\"", \.string) }
        let load = fields.number("load")
        let slots = fields.int("slots", in: 0...10_000)
        let protocols = fields.list("protocols", "manifests, or names of protocols", Self.protocolName)
        let sites = fields.list("sites", "ids or names of sites", siteID)
        try fields.check()
        let beat = HeartbeatRecord(load: load, slots: slots, protocols: protocols?.map(\.name), sites: sites)
        let answer = try await engine.heartbeat(
            session: session ?? 0, holding: Set(holding ?? []), beat, bearer: try principal.bearer)
        return JSONText.response(HeartbeatReply(stop: answer.stop, unknown: answer.unknown, drain: answer.drain))
    }

    /// A protocol as a worker announces it: its manifest, its name, or the documented integer.
    static func protocolName(_ value: JSONValue) -> ProtocolName? {
        if let name = value.object?["name"] { return ProtocolName(name) }
        return ProtocolName(value)
    }

    /// The id of a site that a worker names.
    func siteID(_ value: JSONValue) -> Int? {
        switch value {
        case .int(let id): id
        case .string(let text): engine.rules.sites.site(text)?.id ?? Int(id: text)
        default: nil
        }
    }

    /// A piece of a log or listing of a running attempt: `?offset=BYTES`, the bytes as the body.
    private func piece(
        _ path: PathParameters, _ request: HTTPRequest,
        _ append: ([UInt8], Int, Int, Int, String) async throws -> Int
    ) async throws -> HTTPResponse {
        let token = try Self.elementToken(request.head)
        var query = QueryReader(request)
        guard let offset = query.number("offset", from: 0) else {
            try query.check()
            throw Problem.fields(["offset": "is missing: must be the bytes sent before"])
        }
        let job = try path.number("job")
        let element = try path.number("element")
        let have = try await append(request.body, offset, job, element, token)
        return JSONText.response(OffsetDocument(offset: have))
    }
}
