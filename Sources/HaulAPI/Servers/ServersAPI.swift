import Foundation
public import HaulAuth
public import HaulEngine
public import HaulHTTP
import HaulModel
import HaulWire

/// What the servers of one database ask each other, below ``ServerPath/root``. Each request shows a ``ServerPass``; without
/// a good one it is a 401, whatever it asks.
public struct ServersAPI: Sendable {
    private let engine: Engine
    private let pass: ServerPass
    private let onFault: @Sendable (String) -> Void

    /// - Parameter onFault: told what went wrong on our side: a line for the server's log.
    public init(engine: Engine, pass: ServerPass, onFault: @escaping @Sendable (String) -> Void) {
        self.engine = engine
        self.pass = pass
        self.onFault = onFault
    }

    /// Adds the routes to a server's router.
    public func mount(on outer: inout Router) {
        var router = Router(
            defaultBodyLimit: 0, defaultGate: gate, notFound: { Problem.notFound($0).response },
            methodNotAllowed: { Problem.methodNotAllowed($0, $1).response },
            failure: { answer($0, $1.head) })
        let attempt = "/attempts/:job/:element/:attempt"
        router.on("POST", attempt + "/:stream", bodyLimit: 8 << 20) { request, path in
            try await append(path, request)
        }
        router.on("GET", attempt + "/log") { request, path in try await follow(path, request) }
        router.on("POST", ServerPath.reports, bodyLimit: 192 << 20) { request, _ in try await reports(request) }
        router.on("POST", ServerPath.losses, bodyLimit: 1 << 20) { request, _ in try await losses(request) }
        router.on("GET", "/files/:job/:file") { request, path in try await file(path, request) }
        outer.mount(ServerPath.root, router)
    }

    private func gate(_ head: HTTPRequestHead, _: PathParameters) -> HTTPAdmission.Gate {
        pass.isGenuine(head) ? .open : .shut(Problem.notAServer.response)
    }

    private func answer(_ error: any Error, _ head: HTTPRequestHead) -> HTTPResponse {
        let problem = Problem(answering: error)
        if let cause = problem.cause { onFault("\(head.method) \(head.path): \(cause)") }
        return problem.response
    }

    /// - Throws: 401 unless another server sent it, now, for the first time.
    private func admit(_ request: HTTPRequest) throws {
        guard pass.admits(request) else { throw Problem.notAServer }
    }

    private func attempt(_ path: PathParameters, _ request: HTTPRequest) throws -> AttemptID {
        AttemptID(
            jobID: try path.number("job"),
            elementID: try path.number("element"),
            number: try path.number("attempt"))
    }

    private func append(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        try admit(request)
        var query = QueryReader(request)
        guard let stream = AttemptStream(rawValue: path["stream"]), let offset = query.number("offset", from: 0) else {
            throw Problem.notFound(request)
        }
        let have = try await engine.append(request.body, at: offset, to: stream, of: attempt(path, request))
        return JSONText.response(OffsetDocument(offset: have))
    }

    private func follow(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        try admit(request)
        var query = QueryReader(request)
        let id = try attempt(path, request)
        guard let from = query.number("from", from: 0) else { throw Problem.notFound(request) }
        guard let job = try await engine.job(id.jobID) else { throw EngineError.noJob(id.jobID) }
        return HTTPResponse(
            headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: .stream { [engine] writer in
                try await engine.follow(id, of: job, from: from, isHandedOn: true) { try await writer.write($0) }
            })
    }

    private func reports(_ request: HTTPRequest) async throws -> HTTPResponse {
        try admit(request)
        let document = try Self.read(HandedOnReports.self, request)
        let verdicts = try await engine.reportHandedOn(document.reports.map { try Report($0) })
        return JSONText.response(
            HandedOnVerdicts(
                verdicts: verdicts.map { verdict in
                    switch verdict {
                    case .accepted: .init(verdict: "accepted")
                    case .repeated: .init(verdict: "repeated")
                    case .refused(let error):
                        .init(verdict: "refused", problem: Problem(answering: error).document)
                    }
                }))
    }

    private func losses(_ request: HTTPRequest) async throws -> HTTPResponse {
        try admit(request)
        let document = try Self.read(HandedOnLosses.self, request)
        try await engine.loseHandedOn(
            document.attempts.compactMap { AttemptID(text: $0) }, because: document.reason,
            document.revoked == true ? .revoked : document.unheld ? .unheld : .ended)
        return JSONText.response(JSONValue.object([:]))
    }

    /// A finished file that this server has and not everybody can read: how long it is, or with `from` and `count` a piece.
    private func file(_ path: PathParameters, _ request: HTTPRequest) async throws -> HTTPResponse {
        try admit(request)
        var query = QueryReader(request)
        let (from, count) = (query.number("from", from: 0), query.number("count", from: 0))
        try query.check()
        guard let from, let count else {
            return JSONText.response(
                FileLength(length: try await engine.lengthHere(ofFile: path["file"], job: path["job"])))
        }
        guard let bytes = try await engine.readHere(path["file"], job: path["job"], from: from, count: count) else {
            throw Problem.notFound(request)
        }
        return HTTPResponse(headers: ["Content-Type": "application/octet-stream"], body: .bytes(bytes))
    }

    private static func read<Document: Decodable>(_ type: Document.Type, _ request: HTTPRequest) throws -> Document {
        do { return try JSONDecoder().decode(type, from: Data(request.body)) } catch {
            throw Problem.noObject("The body is not what servers of this version say to each other.")
        }
    }
}

extension Problem {
    static let notAServer = Problem(
        ProblemDocument(
            status: 401, title: "Unauthorized", code: "not_a_server",
            detail:
                "Only the other servers of this database ask this, each request once and for this run of the server.",
            hint: "Users and workers ask below \(WirePath.root). Servers: compare their clocks (a minute is let pass).")
    )
}

extension Report {
    /// - Throws: 400 for a listing that is none.
    fileprivate init(_ item: HandedOnReports.Item) throws {
        let listing = try item.listing.map { text in
            try text.utf8.split(separator: 0x0A).map { line in
                guard let line = ListingLineCodec.decode(ArraySlice(line)) else {
                    throw Problem.noObject("A listing has a line that is none.")
                }
                return line
            }
        }
        self.init(
            jobID: item.job, elementID: item.element, token: item.token, returnCode: item.returnCode, host: item.host,
            log: Array(item.log.utf8), listing: listing, errorClass: item.errorClass.flatMap(ErrorClass.init),
            blamedSite: item.errorSite, reason: item.reason, checksum: item.checksum, transferred: item.transferred,
            hash: item.hash)
    }
}

extension AttemptID {
    fileprivate init?(text: String) {
        let parts = text.split(separator: ".").map { Int($0) }
        guard parts.count == 3, let job = parts[0], let element = parts[1], let number = parts[2] else { return nil }
        self.init(jobID: job, elementID: element, number: number)
    }
}
