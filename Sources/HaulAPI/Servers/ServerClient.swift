import Foundation
public import HaulAuth
public import HaulEngine
public import HaulHTTP
public import HaulModel
import HaulWire
import Synchronization

/// Asks the other servers of the database over HTTP, as ``ServersAPI`` answers.
public struct ServerClient: OtherServers {
    private let client: HTTPClient
    private let pass: ServerPass
    /// Seconds for an exchange that does not park.
    private static let timeout = 120.0

    public init(client: HTTPClient, pass: ServerPass) {
        self.client = client
        self.pass = pass
    }

    /// Whether a run of a server is there and answers.
    public func runs(_ server: KnownServer) async -> Bool {
        // To end nothing is the least that it can be asked for.
        (try? await lose([], because: "is it there?", .ended, at: server)) != nil
    }

    public func append(
        _ bytes: [UInt8], at offset: Int, to stream: AttemptStream, of attempt: AttemptID, at server: KnownServer
    ) async throws -> Int {
        let path = ServerPath.pieces(
            job: attempt.jobID, element: attempt.elementID, attempt: attempt.number, stream: stream.rawValue)
        let answer = try await send("POST", path, [("offset", "\(offset)")], bytes, to: server)
        return try Self.read(OffsetDocument.self, answer).offset
    }

    public func report(_ reports: [Report], at server: KnownServer) async throws -> [Verdict] {
        let document = HandedOnReports(reports: reports.map(HandedOnReports.Item.init))
        let answer = try await send("POST", ServerPath.reports, [], JSONText.bytes(document), to: server)
        return try Self.read(HandedOnVerdicts.self, answer).verdicts.map { item in
            switch item.verdict {
            case "accepted": return .accepted
            case "repeated": return .repeated
            default:
                guard let problem = item.problem else { throw ServerUnreachable("a verdict without its problem") }
                return .refused(EngineError(problem))
            }
        }
    }

    public func lose(
        _ attempts: [AttemptID], because reason: String, _ loss: Loss, at server: KnownServer
    ) async throws {
        let document = HandedOnLosses(
            attempts: attempts.map(\.description), reason: reason, unheld: loss != .ended, revoked: loss == .revoked)
        _ = try await send("POST", ServerPath.losses, [], JSONText.bytes(document), to: server)
    }

    public func follow(
        _ attempt: AttemptID, from offset: Int, at server: KnownServer,
        write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        let path = ServerPath.pieces(
            job: attempt.jobID, element: attempt.elementID, attempt: attempt.number, stream: "log")
        let request = request("GET", path, [("from", "\(offset)")], [], to: server, timeout: nil)
        let isRefused = Mutex(false)
        let ours = Mutex<(any Error)?>(nil)
        do {
            _ = try await client.stream(request) { head in
                isRefused.withLock { $0 = head.status != 200 }
            } onChunk: { bytes in
                if isRefused.withLock({ $0 }) { return }
                do { try await write(bytes) } catch {
                    ours.withLock { $0 = error }
                    throw error
                }
            }
        } catch {
            if let error = ours.withLock({ $0 }) { throw error }
            throw try Self.failure(error)
        }
        if isRefused.withLock({ $0 }) { throw ServerUnreachable("it refuses to tell of \(attempt)") }
    }

    /// How long a finished file is that another server has; nil where it has none.
    public func length(of file: String, job logUID: String, at server: KnownServer) async throws -> Int? {
        let answer = try await send("GET", ServerPath.file(file, job: logUID), [], [], to: server)
        return try Self.read(FileLength.self, answer).length
    }

    /// A piece of a finished file that another server has; nil where it has none.
    public func read(
        _ file: String, job logUID: String, from: Int, count: Int, at server: KnownServer
    ) async throws -> [UInt8]? {
        do {
            return try await send(
                "GET", ServerPath.file(file, job: logUID), [("from", "\(from)"), ("count", "\(count)")], [], to: server
            ).body
        } catch let error as EngineError where error.kind == .notFound {
            return nil
        }
    }

    private func request(
        _ method: String, _ path: String, _ query: [(name: String, value: String)], _ body: [UInt8],
        to server: KnownServer, timeout: Double?
    ) -> HTTPClientRequest {
        let target = ServerPath.root + path
        let pairs = query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        var headers: HTTPHeaders = [
            "Authorization": pass.header(for: server, method: method, path: target, query: query, body: body)
        ]
        if !body.isEmpty { headers.set("Content-Type", "application/octet-stream") }
        return HTTPClientRequest(
            method: method, url: server.url + target + (pairs.isEmpty ? "" : "?" + pairs), headers: headers, body: body,
            timeout: timeout)
    }

    /// - Throws: `EngineError` as the other server answered; ``ServerUnreachable``.
    private func send(
        _ method: String, _ path: String, _ query: [(name: String, value: String)], _ body: [UInt8],
        to server: KnownServer
    ) async throws -> HTTPClientResponse {
        let answer: HTTPClientResponse
        do {
            answer = try await client.send(
                request(method, path, query, body, to: server, timeout: Self.timeout))
        } catch { throw try Self.failure(error) }
        if answer.status == 200 { return answer }
        // A run that we don't know yet, or something else that listens at its address.
        guard answer.status != 401, let problem = try? Self.read(ProblemDocument.self, answer) else {
            throw ServerUnreachable("it answered \(answer.status)")
        }
        throw EngineError(problem)
    }

    /// - Throws: what ends the request on our side.
    private static func failure(_ error: any Error) throws -> ServerUnreachable {
        if Task.isCancelled { throw CancellationError() }
        return ServerUnreachable("\(error)")
    }

    private static func read<Document: Decodable>(
        _ type: Document.Type, _ answer: HTTPClientResponse
    ) throws -> Document {
        do { return try JSONDecoder().decode(type, from: Data(answer.body)) } catch {
            throw ServerUnreachable("an answer that is none of ours")
        }
    }
}

extension HandedOnReports.Item {
    fileprivate init(_ report: Report) {
        var listing: [UInt8]?
        if let lines = report.listing {
            var bytes: [UInt8] = []
            for line in lines { ListingLineCodec.encode(line, into: &bytes) }
            listing = bytes
        }
        self.init(
            job: report.jobID, element: report.elementID, token: report.token, returnCode: report.returnCode,
            host: report.host, log: String(decoding: report.log, as: UTF8.self),
            listing: listing.map { String(decoding: $0, as: UTF8.self) }, errorClass: report.errorClass?.rawValue,
            errorSite: report.blamedSite,
            reason: report.reason, checksum: report.checksum, transferred: report.transferred, hash: report.hash)
    }
}

extension EngineError {
    /// An error as another server told it.
    fileprivate init(_ problem: ProblemDocument) {
        let kind: EngineError.Kind =
            switch problem.status {
            case 401: .unauthorized
            case 403: .forbidden
            case 404: .notFound
            case 409: .conflict
            case 413: .tooLarge
            case 503: .unavailable
            case 500...: .fault
            default: .invalid
            }
        self.init(
            kind, code: problem.code, detail: problem.detail, hint: problem.hint ?? "Tell the operators.",
            fields: problem.fields, index: problem.index, offset: problem.offset)
    }
}
