import Foundation
import HaulHTTP
import HaulModel
import HaulWire
import Synchronization

/// The worker API, played by a test: hands out what is queued, takes and keeps all that a worker says, and answers as it
/// is told to.
final class TestServer: Sendable {
    /// What a test may change while the server runs.
    struct Script: Sendable {
        var leaseSeconds = 60.0
        var heartbeatSeconds = 0.1
        /// How long a registration takes to be answered.
        var registrationSeconds = 0.0
        var token = "worker-token"
        /// Claims that wait to be handed out, each the text of a JSON array.
        var claims: [String] = []
        var stop: [String] = []
        var unknown: [String] = []
        var drain = false
        /// Answers instead of the usual ones: by the request's path, nil for the usual one.
        var answer: (@Sendable (String, HTTPRequest) -> HTTPResponse?)?
        /// Answers a report, once it was kept; nil for a 200 each.
        var settle: (@Sendable (ResultsRequest, Int) -> HTTPResponse?)?
        /// Answers a piece with the offset to go on at, before it was kept; nil takes it.
        var piece: (@Sendable (String, Int, [UInt8]) -> HTTPResponse?)?
    }

    /// What was asked.
    struct Record: Sendable {
        var registrations: [WorkerRegistration] = []
        var claims: [ClaimRequest] = []
        var beats: [Heartbeat] = []
        /// Bodies of reports, byte by byte.
        var reports: [[UInt8]] = []
        var progress: [String] = []
        /// `log 1.0` or `listing 1.0` to the bytes that were taken.
        var pieces: [String: [UInt8]] = [:]
        /// All requests but heartbeats, by path, in order.
        var paths: [String] = []
        var session = 0
        /// When the session was last heard of.
        var renewed = ContinuousClock.now
    }

    private let state: State
    private let server: HTTPServer

    final class State: Sendable {
        let script = Mutex(Script())
        let record = Mutex(Record())
    }

    init(port: Int = 0) throws {
        let state = State()
        self.state = state
        server = HTTPServer(
            configuration: HTTPServerConfiguration(port: port), bodyLimit: { _ in 64 << 20 },
            handler: { await Self.handle($0, state) })
        try server.start()
    }

    var port: Int { server.port }
    var url: String { "http://127.0.0.1:\(server.port)" }
    var record: Record { state.record.withLock { $0 } }

    func change(_ change: (inout Script) -> Void) { state.script.withLock { change(&$0) } }
    func stop() async { await server.stop(grace: 0) }

    /// Answers that no claim has fetched yet.
    var claimsLeft: Int { state.script.withLock { $0.claims.count } }

    /// Queues a claim's answer.
    func hand(_ jobs: String...) { change { $0.claims.append("[\(jobs.joined(separator: ","))]") } }

    /// All outcomes that were reported, the repeated ones too.
    var outcomes: [ResultsRequest.Item] {
        record.reports.flatMap { (try? JSONDecoder().decode(ResultsRequest.self, from: Data($0)))?.results ?? [] }
    }

    func outcome(_ job: Int, _ element: Int = 0) -> OutcomeDocument? {
        outcomes.first { $0.jobID == job && $0.elementID == element }?.outcome
    }

    /// What came in pieces, and what came with the outcome.
    func log(_ job: Int, _ element: Int = 0) -> String {
        String(decoding: record.pieces["log \(job).\(element)"] ?? [], as: UTF8.self)
            + (outcome(job, element)?.log ?? "")
    }

    private static func handle(_ request: HTTPRequest, _ state: State) async -> HTTPResponse {
        let path = request.path.replacing("/workqueue/api/v1.0/worker", with: "")
        let script = state.script.withLock { $0 }
        if path != "/heartbeat" { state.record.withLock { $0.paths.append(path) } }
        if let answer = script.answer?(path, request) { return answer }
        let bearer = request.headers["Authorization"] ?? ""
        if !path.hasPrefix("/jobs/"), bearer != "Bearer \(script.token)" { return problem(401, "no such token") }
        switch path {
        case "/register":
            try? await Task.sleep(for: .seconds(script.registrationSeconds))
            return register(request, script, state)
        case "/jobs": return await claim(request, state)
        case "/heartbeat": return beat(request, script, state)
        case "/results": return report(request, script, state)
        default: return element(path, request, script, state)
        }
    }

    private static func register(_ request: HTTPRequest, _ script: Script, _ state: State) -> HTTPResponse {
        guard let body: WorkerRegistration = read(request) else { return problem(400, "no registration") }
        let session = state.record.withLock { record in
            record.registrations.append(body)
            record.session += 1
            record.renewed = .now
            return record.session
        }
        return json(
            SessionDocument(
                session: session, leaseSeconds: script.leaseSeconds, heartbeatSeconds: script.heartbeatSeconds))
    }

    private static func claim(_ request: HTTPRequest, _ state: State) async -> HTTPResponse {
        guard let body: ClaimRequest = read(request) else { return problem(400, "no claim") }
        state.record.withLock { $0.claims.append(body) }
        let deadline = ContinuousClock.now + .seconds(body.wait ?? 0)
        repeat {
            // A worker that has taken a new session does not wait for this answer any more, though it may not be seen yet
            // that it left.
            guard body.session == state.record.withLock({ $0.session }) else {
                return problem(409, "the session has ended")
            }
            let next = state.script.withLock { $0.claims.isEmpty ? nil : $0.claims.removeFirst() }
            if let next { return HTTPResponse(text: next, contentType: "application/json") }
            try? await Task.sleep(for: .milliseconds(5))
        } while ContinuousClock.now < deadline && !Task.isCancelled
        return problem(404, "no work")
    }

    private static func beat(_ request: HTTPRequest, _ script: Script, _ state: State) -> HTTPResponse {
        guard let body: Heartbeat = read(request) else { return problem(400, "no heartbeat") }
        let isLive = state.record.withLock { record in
            record.beats.append(body)
            guard body.session == record.session, ContinuousClock.now - record.renewed < .seconds(script.leaseSeconds)
            else { return false }
            record.renewed = .now
            return true
        }
        guard isLive else { return problem(409, "the session has ended") }
        return json(HeartbeatReply(stop: script.stop, unknown: script.unknown, drain: script.drain))
    }

    private static func report(_ request: HTTPRequest, _ script: Script, _ state: State) -> HTTPResponse {
        guard let body: ResultsRequest = read(request) else { return problem(400, "no results") }
        let number = state.record.withLock { record in
            record.reports.append(request.body)
            return record.reports.count
        }
        if let answer = script.settle?(body, number) { return answer }
        return json(ResultsReply(results: body.results.map { _ in .init(status: 200) }))
    }

    private static func element(
        _ path: String, _ request: HTTPRequest, _ script: Script, _ state: State
    ) -> HTTPResponse {
        let words = path.split(separator: "/").map(String.init)
        guard words.count == 5, let what = words.last else { return problem(404, "no such route") }
        let id = "\(words[1]).\(words[3])"
        guard request.headers["X-Token"] == "token-\(id)" else { return problem(403, "another element's token") }
        if what == "monitoring" {
            state.record.withLock { $0.progress.append(id) }
            return HTTPResponse(text: "{}", contentType: "application/json")
        }
        let key = "\(what) \(id)"
        let offset = request.query("offset").flatMap { Int($0) } ?? -1
        if let answer = script.piece?(key, offset, request.body) { return answer }
        return take(key, offset, request.body, state)
    }

    /// As hauld does: what starts elsewhere than at the end is refused with the end's place.
    private static func take(_ key: String, _ offset: Int, _ body: [UInt8], _ state: State) -> HTTPResponse {
        let (isTaken, size) = state.record.withLock { record in
            let size = record.pieces[key]?.count ?? 0
            guard offset == size else { return (false, size) }
            record.pieces[key, default: []] += body
            return (true, size + body.count)
        }
        return isTaken ? json(OffsetDocument(offset: size)) : wrongOffset(size)
    }

    /// Keeps bytes as if they had come.
    func keep(_ key: String, _ bytes: [UInt8]) { state.record.withLock { $0.pieces[key, default: []] += bytes } }
}

extension TestServer {
    static func problem(_ status: Int, _ detail: String, offset: Int? = nil) -> HTTPResponse {
        json(
            ProblemDocument(status: status, title: "t", code: "c", detail: detail, hint: "h", offset: offset),
            status: status)
    }

    static func wrongOffset(_ size: Int) -> HTTPResponse { problem(409, "go on at \(size)", offset: size) }

    static func json(_ value: some Encodable, status: Int = 200) -> HTTPResponse {
        let data = (try? JSONEncoder().encode(value)) ?? Data()
        return HTTPResponse(status: status, headers: ["Content-Type": "application/json"], body: .bytes(Array(data)))
    }

    /// An answer that is cut off: the request was worked on, and who asked does not learn it.
    static var lost: HTTPResponse { HTTPResponse(body: .stream { _ in throw CancellationError() }) }

    private static func read<Value: Decodable>(_ request: HTTPRequest) -> Value? {
        try? JSONDecoder().decode(Value.self, from: Data(request.body))
    }
}
