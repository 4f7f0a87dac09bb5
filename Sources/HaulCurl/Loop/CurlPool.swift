public import HaulModel
import HaulProtocol
import Synchronization

/// Requests of many elements over few kept connections, performed by libcurl on a thread of this process.
///
/// A kept connection that the server closed as a request went out is made anew, and the request sent again, as
/// libcurl does for every method; ``HTTPResponse/repeated`` says so. Where it met one such connection after the other and
/// gave up, the request goes out once more, over a new one.
public final class CurlPool: Sendable {
    /// Bytes that one answer's body may have; more end its request with exit code 23.
    let roof: Int
    /// Requests at once to one server; others wait. Servers have few workers, some a limit of connections (apache2: 400
    /// in all, kept ones included), and several backends may be at work.
    let most: Int
    /// Where requests may go; nil is anywhere.
    let hosts: HostList?
    private let connections: CurlConnections

    /// - Parameter connections: Kept by all pools that share them, over batches; tests count their own.
    public init(
        roof: Int, most: Int = 16, hosts: HostList? = nil, connections: CurlConnections = .shared
    ) {
        self.roof = roof
        self.hosts = hosts
        self.most = max(1, most)
        self.connections = connections
    }

    /// Runs the request, and those that it is sent on to; returns what came of it, HTTP errors included.
    /// - Throws: `CancellationError`, once the request does not run any more; ``BackendFailure`` where libcurl does not
    ///   take it, or the worker may not go there.
    public func perform(_ request: any CurlRequest) async throws -> HTTPResponse {
        try await perform(request, nil)
    }

    /// - Parameter flow: Of a request whose body, or whose answer's, streams.
    func perform(_ request: any CurlRequest, _ flow: CurlFlow?) async throws -> HTTPResponse {
        var redirects = CurlRedirects(request, hosts: hosts)
        var answer = try await send(request, flow)
        while let next = redirects.next(&answer) {
            let wasRepeated = answer.repeated
            answer = try await send(next, flow)
            answer.repeated = answer.repeated || wasRepeated
        }
        return answer
    }

    private func send(_ request: any CurlRequest, _ flow: CurlFlow?) async throws -> HTTPResponse {
        try Task.checkCancellation()
        let job = CurlJob(request, self, flow)
        flow?.connect { [loop = connections.loop] in loop.send(.goOn(job)) }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                job.wait(continuation)
                connections.loop.send(.start(job))
            }
        } onCancel: {
            connections.loop.send(.cancel(job))
        }
    }
}

/// The thread that performs requests, with the connections that it keeps.
public final class CurlConnections: Sendable {
    /// One for the process: what a batch connected serves the next.
    public static let shared = CurlConnections()

    let loop: CurlLoop

    /// Runs tasks on the thread that performs the requests. They must not block it.
    public var executor: any TaskExecutor { loop }

    /// - Parameter idle: Connections that are kept without a request.
    public init(idle: Int = 64) { loop = CurlLoop(idle: idle) }

    deinit { loop.close() }
}

/// One request from ``CurlPool/perform(_:)`` to its answer.
final class CurlJob: Sendable {
    private struct State {
        var continuation: CheckedContinuation<HTTPResponse, any Error>?
        var isCancelled = false
        var isFresh = false
    }

    let request: any CurlRequest
    let pool: CurlPool
    let flow: CurlFlow?
    let lane: CurlLanes.Name
    private let state = Mutex(State())

    init(_ request: any CurlRequest, _ pool: CurlPool, _ flow: CurlFlow? = nil) {
        self.request = request
        self.pool = pool
        self.flow = flow
        lane = CurlLanes.Name(pool: ObjectIdentifier(pool), server: request.server)
    }

    /// A cancel may come before its start.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func rememberCancel() { state.withLock { $0.isCancelled = true } }

    /// It goes over a connection of its own making.
    var isFresh: Bool { state.withLock { $0.isFresh } }

    /// - Returns: False where it did already.
    func freshen() -> Bool {
        state.withLock { state in
            defer { state.isFresh = true }
            return !state.isFresh
        }
    }

    func wait(_ continuation: CheckedContinuation<HTTPResponse, any Error>) {
        state.withLock { $0.continuation = continuation }
    }

    func finish(_ result: Result<HTTPResponse, any Error>) {
        let continuation = state.withLock { state in
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume(with: result)
    }
}
