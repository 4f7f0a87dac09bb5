import CMicroHTTPD
import Synchronization

/// One request and its answer on one connection.
///
///     [asking -> decided ->] receiving -> running -> answered -> sending -> over
///
/// A gate that has to ask parks the connection and moves it to asking, its answer (or a server that stops) to decided,
/// which wakes the connection. The server's thread moves it from receiving to running (and parks the connection),
/// whoever answers first (the handler, or a server that stops) to answered (and wakes the connection), the server's
/// thread to sending and over.
final class Exchange: Sendable {
    private enum Phase {
        case asking
        /// Nil lets the body in.
        case decided(HTTPResponse?)
        case receiving
        case running
        case answered(HTTPResponse)
        case sending
        case over
    }

    private struct State {
        var phase = Phase.receiving
        var bodyLimit = 0
        var body: [UInt8] = []
        var budgeted = 0
        var refusal: HTTPResponse?
        var discarded = 0
        var isParked = false
        var task: Task<Void, Never>?
        var stream: BodyStream?
        var hasLeft = false
        var isCancelled = false
    }

    /// What became of a piece of a body.
    enum Reception {
        case taken
        /// More than it may be, or than the server can hold.
        case refused(HTTPResponse)
    }

    let head: HTTPRequestHead
    private let core: ServerCore
    private let state = Mutex(State())
    // Only used while the connection is parked or within its own callback: libmicrohttpd keeps it valid then.
    nonisolated(unsafe) private let connection: OpaquePointer

    init(head: HTTPRequestHead, core: ServerCore, connection: OpaquePointer) {
        self.head = head
        self.core = core
        self.connection = connection
    }

    /// Asks the head hook about a request that has a body; a gate that has to wait parks the connection.
    /// - Returns: what the request is refused with at once, or nil.
    func admit() -> HTTPResponse? {
        let admission = core.admit(head)
        let limit = admission.bodyLimit
        switch admission.gate {
        case .shut(let response): return response
        case .open:
            state.withLock { $0.bodyLimit = limit }
            return core.refusal(ofLength: head, limit: limit)
        case .ask(let ask):
            state.withLock { state in
                state.bodyLimit = limit
                state.phase = .asking
                state.isParked = true
                MHD_suspend_connection(connection)
                state.task = Task { [self] in
                    let refusal = await ask()
                    decide(refusal ?? core.refusal(ofLength: head, limit: limit))
                }
            }
            return nil
        }
    }

    private func decide(_ refusal: HTTPResponse?) {
        state.withLock { state in
            guard case .asking = state.phase else { return }
            state.phase = .decided(refusal)
            wake(&state)
        }
    }

    /// What the server's thread does with a request that a gate was asked about.
    enum Decision {
        /// Nobody was asked, or the body is let in and comes.
        case none
        /// The body may come from now on.
        case goOn
        case refuse(HTTPResponse)
    }

    /// Takes the decision, once.
    func takeDecision() -> Decision {
        state.withLock { state in
            switch state.phase {
            case .asking:
                // Woken without a decision: not expected, parked again.
                state.isParked = true
                MHD_suspend_connection(connection)
                return .goOn
            case .decided(nil):
                state.phase = .receiving
                return .goOn
            case .decided(let refusal?):
                state.phase = .sending
                return .refuse(refusal)
            default: return .none
            }
        }
    }

    /// Keeps a piece of the body, if it fits the request's limit and the server's budget.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Reception {
        state.withLock { state in
            guard state.body.count + bytes.count <= state.bodyLimit else {
                return .refused(core.tooLong(state.bodyLimit, head))
            }
            guard core.takeBudget(bytes.count) else { return .refused(core.overBudget(head)) }
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

    /// The head alone was enough to refuse it: its body is not waited for.
    func refuse() { state.withLock { $0.phase = .sending } }

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
                    return core.stoppingAnswer(head)
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
            case .asking, .decided, .sending, .over: return nil
            }
        }
    }

    /// Gives the answer, unless there is one, and wakes the connection.
    func answer(_ response: HTTPResponse) {
        state.withLock { state in
            switch state.phase {
            case .asking: state.phase = .decided(response)
            case .running:
                state.phase = .answered(response)
                core.returnBudget(state.budgeted)
                state.budgeted = 0
            default: return
            }
            wake(&state)
        }
    }

    private func wake(_ state: inout State) {
        guard state.isParked else { return }
        state.isParked = false
        MHD_resume_connection(connection)
    }

    /// What is sent in the place of an answer that can't be.
    func unsendable() -> HTTPResponse { core.errorBody(500, "the answer could not be sent", head) }

    func sends(_ stream: BodyStream) {
        let (hasLeft, isCancelled) = state.withLock { state in
            state.stream = stream
            return (state.hasLeft, state.isCancelled)
        }
        if hasLeft { stream.abandon() } else if isCancelled { stream.cancel() }
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

    /// Asks whoever works on the answer, handler or writer of a stream, to come to an end.
    func cancel() {
        let (task, stream) = state.withLock { state in
            state.isCancelled = true
            return (state.task, state.stream)
        }
        task?.cancel()
        stream?.cancel()
    }
}
