public import Foundation
public import HaulHTTP
import HaulModel
public import HaulWire

/// The worker API over HTTP. Says once when the server cannot be reached, and once when it can again.
public struct HTTPWorkerServer: WorkerServer {
    private let client: HTTPClient
    /// Without a slash at its end.
    private let root: String
    private let token: WorkerToken?
    /// Seconds for a request that does not park.
    private let timeout: Double
    private let contact: Contact

    /// - Parameters:
    ///   - url: `http://host:port`, where hauld is.
    ///   - token: the worker's bearer token; nil where the client shows a certificate instead.
    public init(client: HTTPClient, url: URL, token: WorkerToken?, timeout: Double, log: WorkerLog) {
        self.client = client
        let base = url.absoluteString
        root = (base.hasSuffix("/") ? String(base.dropLast()) : base) + WirePath.root + "/worker"
        self.token = token
        self.timeout = timeout
        contact = Contact(server: base, log: log)
    }

    public func register(_ registration: WorkerRegistration) async throws(ServerFailure) -> SessionDocument {
        try document(await send("POST", "/register", json: try Self.body(registration)))
    }

    public func claim(_ request: ClaimRequest) async throws(ServerFailure) -> [ClaimedJob] {
        let wait = request.wait ?? 0
        do {
            let reply = try await send("POST", "/jobs", json: try Self.body(request), timeout: wait + timeout)
            return try read(reply) { bytes throws(JSONFieldError) in
                var jobs: [ClaimedJob] = []
                for fields in try JSONFields.array(bytes) { jobs.append(try ClaimedJob(fields)) }
                return jobs
            }
        } catch ServerFailure.refused(status: 404, _) {
            return []
        } catch {
            throw error
        }
    }

    public func heartbeat(_ heartbeat: Heartbeat, timeout: Double) async throws(ServerFailure) -> HeartbeatReply {
        try document(await send("POST", "/heartbeat", json: try Self.body(heartbeat), timeout: timeout))
    }

    public func results(_ body: Data) async throws(ServerFailure) -> ResultsReply {
        // The end of a LIST is answered when its listing is expanded.
        let reply = try await send("POST", "/results", json: body, timeout: max(timeout, 120))
        return try read(reply) { bytes throws(JSONFieldError) in try ResultsReply(JSONFields(bytes)) }
    }

    public func progress(_ progress: ProgressDocument, of attempt: AttemptKey) async throws(ServerFailure)
        -> ProgressReply
    {
        try document(
            await send("PUT", "\(Self.path(attempt))/monitoring", json: try Self.body(progress), element: attempt.token)
        )
    }

    public func piece(
        _ data: Data, at offset: Int, of kind: PieceKind, attempt: AttemptKey
    ) async throws(ServerFailure) -> PieceReply {
        let type = kind == .log ? "text/plain; charset=utf-8" : "application/x-ndjson"
        let reply = try await answer(
            "POST", "\(Self.path(attempt))/\(kind.rawValue)?offset=\(offset)", body: data, type: type,
            element: attempt.token, timeout: timeout)
        if reply.status == 409, let problem = Self.problem(reply), let actual = problem.offset {
            return .wrongOffset(actual)
        }
        let accepted = try Self.accepted(reply)
        let document = try? JSONDecoder().decode(OffsetDocument.self, from: Data(accepted.body))
        return .accepted(document?.offset ?? offset + data.count)
    }

    public func credentials(of attempt: AttemptKey) async throws(ServerFailure) -> CredentialsReply {
        let reply = try await answer(
            "GET", "\(Self.path(attempt))/credentials", body: Data(), type: "application/json",
            element: attempt.token, timeout: timeout)
        if reply.status == 409, let problem = Self.problem(reply), problem.code == "credential_expired" {
            return .expired(problem.detail)
        }
        let accepted = try Self.accepted(reply)
        guard let document = try? JSONDecoder().decode(GivenCredentials.self, from: Data(accepted.body)) else {
            throw .unreachable("the answer with credentials can't be read")
        }
        return .given(document)
    }

    private static func path(_ attempt: AttemptKey) -> String {
        "/jobs/\(attempt.jobID)/elements/\(attempt.elementID)"
    }

    private func send(
        _ method: String, _ path: String, json: Data, element: String? = nil, timeout: Double? = nil
    ) async throws(ServerFailure) -> HTTPClientResponse {
        try Self.accepted(
            await answer(
                method, path, body: json, type: "application/json", element: element, timeout: timeout ?? self.timeout))
    }

    /// What the server answers; once more with the worker's next token where it has one and the last is over.
    private func answer(
        _ method: String, _ path: String, body: Data, type: String, element: String?, timeout: Double
    ) async throws(ServerFailure) -> HTTPClientResponse {
        let shown = element ?? token?.current
        let reply = try await exchange(method, path, body: body, type: type, shown, element: element, timeout: timeout)
        guard reply.status == 401, element == nil, let shown, let next = await token?.another(than: shown) else {
            return reply
        }
        return try await exchange(method, path, body: body, type: type, next, element: element, timeout: timeout)
    }

    /// One exchange; any status but those that say to come again is an answer.
    private func exchange(
        _ method: String, _ path: String, body: Data, type: String, _ shown: String?, element: String?, timeout: Double
    ) async throws(ServerFailure) -> HTTPClientResponse {
        var headers: HTTPHeaders = ["Content-Type": type, "Accept": "application/json"]
        if let shown { headers["Authorization"] = "Bearer \(shown)" }
        if let element { headers[WirePath.tokenHeader] = element }
        let reply: HTTPClientResponse
        do {
            reply = try await client.send(
                HTTPClientRequest(
                    method: method, url: root + path, headers: headers, body: Array(body), timeout: timeout))
        } catch {
            if error.kind == .cancelled || error.kind == .closed { throw .cancelled }
            contact.failed(error.message)
            throw .unreachable(error.message)
        }
        if reply.status >= 500 || reply.status == 429 || reply.status == 408 {
            let text = "\(reply.status) \(Self.detail(reply))"
            contact.worked()
            contact.isFaulty(text)
            throw .unreachable(text)
        }
        contact.worked()
        return reply
    }

    private static func accepted(_ reply: HTTPClientResponse) throws(ServerFailure) -> HTTPClientResponse {
        guard (200..<300).contains(reply.status) else {
            throw .refused(status: reply.status, detail: detail(reply))
        }
        return reply
    }

    private static func problem(_ reply: HTTPClientResponse) -> ProblemDocument? {
        try? JSONDecoder().decode(ProblemDocument.self, from: Data(reply.body))
    }

    private static func detail(_ reply: HTTPClientResponse) -> String {
        if let problem = problem(reply) {
            return [problem.detail, problem.hint].compactMap { $0 }.joined(separator: "; ")
        }
        return String(decoding: reply.body.prefix(200), as: UTF8.self)
    }

    private static func body(_ value: some Encodable) throws(ServerFailure) -> Data {
        do {
            return try JSONEncoder().encode(value)
        } catch {
            throw .refused(status: 400, detail: "the request cannot be written as JSON: \(error)")
        }
    }

    /// An answer that is not what it should be comes from something else that listens there: it may go away.
    private func document<Value: Decodable>(_ reply: HTTPClientResponse) throws(ServerFailure) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(reply.body))
        } catch {
            throw odd("\(error)")
        }
    }

    private func read<Value>(
        _ reply: HTTPClientResponse, _ body: ([UInt8]) throws(JSONFieldError) -> Value
    ) throws(ServerFailure) -> Value {
        do {
            return try body(Array(reply.body))
        } catch {
            throw odd("it \(error)")
        }
    }

    private func odd(_ why: String) -> ServerFailure {
        let text = "the answer is not what a hauld says: \(why)"
        contact.isFaulty(text)
        return .unreachable(text)
    }
}
