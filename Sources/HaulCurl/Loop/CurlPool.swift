import HaulModel
import HaulProtocol
import Synchronization

/// Requests of many elements over few kept connections, performed by libcurl on a thread of this process.
///
/// A kept connection that the server closed as a request went out is made anew, and the request sent again, as
/// libcurl does for every method; ``HTTPResponse/repeated`` says so.
public final class CurlPool: Sendable {
    /// Bytes that one answer's body may have; more end its request with exit code 23.
    let roof: Int
    /// Requests at once; others wait.
    let most: Int
    private let loop: CurlLoop

    /// - Parameter connections: Kept by all pools that share them, over batches; tests count their own.
    public init(roof: Int, most: Int = 64, connections: CurlConnections = .shared) {
        self.roof = roof
        self.most = max(1, most)
        loop = connections.loop
    }

    /// Runs the request; returns what came of it, HTTP errors included.
    /// - Throws: `CancellationError`, once the request does not run any more; ``BackendFailure`` where libcurl does not
    ///   take it.
    public func perform(_ request: any CurlRequest) async throws -> HTTPResponse {
        try Task.checkCancellation()
        let job = CurlJob(request, self)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                job.wait(continuation)
                loop.send(.start(job))
            }
        } onCancel: {
            loop.send(.cancel(job))
        }
    }
}

/// The thread that performs requests, with the connections that it keeps.
public final class CurlConnections: Sendable {
    /// One for the process: what a batch connected serves the next.
    public static let shared = CurlConnections()

    let loop: CurlLoop

    /// - Parameter idle: Connections that are kept without a request.
    public init(idle: Int = 64) { loop = CurlLoop(idle: idle) }

    deinit { loop.close() }
}

/// One request from ``CurlPool/perform(_:)`` to its answer.
final class CurlJob: Sendable {
    private struct State {
        var continuation: CheckedContinuation<HTTPResponse, any Error>?
        var isCancelled = false
    }

    let request: any CurlRequest
    let pool: CurlPool
    private let state = Mutex(State())

    init(_ request: any CurlRequest, _ pool: CurlPool) {
        self.request = request
        self.pool = pool
    }

    /// A cancel may come before its start.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func rememberCancel() { state.withLock { $0.isCancelled = true } }

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
