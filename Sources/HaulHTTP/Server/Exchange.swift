import CMicroHTTPD
import Synchronization

/// One request and its answer on one connection.
///
///     receiving -> running -> answered -> sending -> over
///
/// The server's thread moves it from receiving to running (and parks the connection), whoever answers first (the
/// handler, or a server that stops) to answered (and wakes the connection), the server's thread to sending and over.
final class Exchange: Sendable {
    private enum Phase {
        case receiving
        case running
        case answered(HTTPResponse)
        case sending
        case over
    }

    private struct State {
        var phase = Phase.receiving
        var body: [UInt8] = []
        var budgeted = 0
        var refusal: HTTPResponse?
        var discarded = 0
        var isParked = false
        var task: Task<Void, Never>?
        var stream: BodyStream?
        var hasLeft = false
    }

    /// What became of a piece of a body.
    enum Reception {
        case taken
        /// More than it may be, or than the server can hold.
        case refused(HTTPResponse)
    }

    let head: HTTPRequestHead
    private let core: ServerCore
    private let bodyLimit: Int
    private let state = Mutex(State())
    // Only used while the connection is parked or within its own callback: libmicrohttpd keeps it valid then.
    nonisolated(unsafe) private let connection: OpaquePointer

    init(head: HTTPRequestHead, bodyLimit: Int, core: ServerCore, connection: OpaquePointer) {
        self.head = head
        self.bodyLimit = bodyLimit
        self.core = core
        self.connection = connection
    }

    /// Keeps a piece of the body, if it fits the request's limit and the server's budget.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Reception {
        state.withLock { state in
            guard state.body.count + bytes.count <= bodyLimit else {
                return .refused(core.errorBody(413, "the body is longer than \(bodyLimit) bytes"))
            }
            guard core.takeBudget(bytes.count) else { return .refused(core.overBudget()) }
            state.budgeted += bytes.count
            state.body.append(contentsOf: bytes)
            return .taken
        }
    }

    /// Over TLS an answer can't be put in front of a body that still comes: the rest is dropped, within bounds.
    /// - Returns: false when it is time to cut the connection.
    func discard(_ count: Int, answer: HTTPResponse) -> Bool {
        state.withLock { state in
            core.returnBudget(state.budgeted)
            state.budgeted = 0
            state.body = []
            state.refusal = state.refusal ?? answer
            state.discarded += count
            return state.discarded <= 64 * 1024 * 1024
        }
    }

    /// What a body that is being dropped will be answered.
    var refusal: HTTPResponse? { state.withLock { $0.refusal } }

    /// Whether the request is not whole yet.
    var isReceiving: Bool {
        state.withLock { if case .receiving = $0.phase { true } else { false } }
    }

    /// The request is whole, or its answer is there: the server's thread asks what to send, or parks the connection.
    func nextAnswer() -> HTTPResponse? {
        state.withLock { state in
            switch state.phase {
            case .receiving:
                if let refusal = state.refusal {
                    state.phase = .sending
                    return refusal
                }
                if core.isStopping {
                    state.phase = .sending
                    return core.stoppingAnswer()
                }
                state.phase = .running
                state.isParked = true
                MHD_suspend_connection(connection)
                let request = HTTPRequest(head: head, body: state.body)
                state.body = []
                state.task = Task { [self] in answer(await core.handler(request)) }
                return nil
            case .running:
                // Woken without an answer: not expected, parked again.
                state.isParked = true
                MHD_suspend_connection(connection)
                return nil
            case .answered(let response):
                state.phase = .sending
                return response
            case .sending, .over: return nil
            }
        }
    }

    /// Gives the answer, unless there is one, and wakes the connection.
    func answer(_ response: HTTPResponse) {
        state.withLock { state in
            guard case .running = state.phase else { return }
            state.phase = .answered(response)
            core.returnBudget(state.budgeted)
            state.budgeted = 0
            guard state.isParked else { return }
            state.isParked = false
            MHD_resume_connection(connection)
        }
    }

    func sends(_ stream: BodyStream) {
        let hasLeft = state.withLock { state in
            state.stream = stream
            return state.hasLeft
        }
        if hasLeft { stream.abandon() }
    }

    /// The answer is sent, or the connection is gone.
    func end() {
        let (task, stream) = state.withLock { state in
            state.phase = .over
            core.returnBudget(state.budgeted)
            state.budgeted = 0
            state.body = []
            return (state.task, state.stream)
        }
        task?.cancel()
        stream?.abandon()
    }

    /// Whether the connection is parked, so that libmicrohttpd does not see its client leave.
    var isParked: Bool {
        let (isParked, stream) = state.withLock { ($0.isParked, $0.stream) }
        return isParked || stream?.isParked == true
    }

    /// The client left while the connection was parked: whoever works for it is told.
    func clientLeft() {
        let (task, stream) = state.withLock { state in
            state.hasLeft = true
            return (state.task, state.stream)
        }
        task?.cancel()
        stream?.abandon()
    }

    /// Asks a running handler to come to an end.
    func cancel() {
        state.withLock { $0.task }?.cancel()
    }
}
