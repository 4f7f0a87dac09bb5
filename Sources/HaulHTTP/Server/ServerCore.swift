import Synchronization

/// What all connections of a server share.
final class ServerCore: Sendable {
    let configuration: HTTPServerConfiguration
    let bodyLimit: @Sendable (HTTPRequestHead) -> Int
    let handler: @Sendable (HTTPRequest) async -> HTTPResponse
    let errorBody: @Sendable (Int, String) -> HTTPResponse
    private let connections = Mutex<[ObjectIdentifier: ServerConnection]>([:])
    private let budget = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let running = Atomic<Int>(0)

    init(
        configuration: HTTPServerConfiguration, bodyLimit: @escaping @Sendable (HTTPRequestHead) -> Int,
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        errorBody: @escaping @Sendable (Int, String) -> HTTPResponse
    ) {
        self.configuration = configuration
        self.bodyLimit = bodyLimit
        self.handler = handler
        self.errorBody = errorBody
    }

    func add(_ connection: ServerConnection) {
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
    }

    func remove(_ connection: ServerConnection) {
        connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    var allConnections: [ServerConnection] { connections.withLock { Array($0.values) } }

    /// Requests that were begun and not yet wholly answered.
    var exchangeCount: Int { running.load(ordering: .sequentiallyConsistent) }

    func exchangeBegan() { running.add(1, ordering: .sequentiallyConsistent) }

    func exchangeEnded() { running.subtract(1, ordering: .relaxed) }

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    func beginStopping() { stopping.store(true, ordering: .sequentiallyConsistent) }

    /// Sets bytes of a body against the budget.
    /// - Returns: false, and sets nothing, when they do not fit.
    func takeBudget(_ count: Int) -> Bool {
        let now = budget.add(count, ordering: .relaxed).newValue
        if now <= configuration.bodyBudget { return true }
        budget.subtract(count, ordering: .relaxed)
        return false
    }

    func returnBudget(_ count: Int) {
        if count > 0 { budget.subtract(count, ordering: .relaxed) }
    }

    func overBudget() -> HTTPResponse {
        var response = errorBody(503, "the server holds as many request bodies as it can")
        response.headers.set("Retry-After", "1")
        return response
    }

    func stoppingAnswer() -> HTTPResponse {
        var response = errorBody(503, "the server is stopping")
        response.headers.set("Retry-After", "1")
        return response
    }

    /// What a request is refused with as soon as its head is known, or nil.
    func refusal(of head: HTTPRequestHead, hasNUL: Bool) -> HTTPResponse? {
        if isStopping { return stoppingAnswer() }
        if hasNUL { return errorBody(400, "the target holds a NUL") }
        // Two framings of one body are how requests are smuggled past a proxy (RFC 9112, 6.3 and 11.2).
        let lengths = head.headers.all("Content-Length")
        let codings = head.headers.all("Transfer-Encoding")
        if lengths.count > 1 { return errorBody(400, "more than one Content-Length") }
        if !codings.isEmpty {
            if !lengths.isEmpty { return errorBody(400, "both Content-Length and Transfer-Encoding") }
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                return errorBody(501, "a Transfer-Encoding other than chunked")
            }
        }
        guard let text = lengths.first else { return nil }
        let limit = bodyLimit(head)
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return errorBody(400, "a Content-Length that is no number")
        }
        guard let length = Int(text), length <= limit else {
            return errorBody(413, "the body is longer than \(limit) bytes")
        }
        return budget.load(ordering: .relaxed) + length > configuration.bodyBudget ? overBudget() : nil
    }
}
