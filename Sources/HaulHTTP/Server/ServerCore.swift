import Synchronization

/// What all connections of a server share.
final class ServerCore: Sendable {
    typealias ErrorBody = @Sendable (Int, String, HTTPRequestHead?) -> HTTPResponse
    let configuration: HTTPServerConfiguration
    let admit: @Sendable (HTTPRequestHead) -> HTTPAdmission
    let handler: @Sendable (HTTPRequest) async -> HTTPResponse
    let errorBody: ErrorBody
    private let connections = Mutex<[ObjectIdentifier: ServerConnection]>([:])
    private let budget = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    private let running = Atomic<Int>(0)
    private let secrets = Mutex<ServerTLS?>(nil)

    init(
        configuration: HTTPServerConfiguration, admit: @escaping @Sendable (HTTPRequestHead) -> HTTPAdmission,
        handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
        errorBody: @escaping ErrorBody
    ) {
        self.configuration = configuration
        self.admit = admit
        self.handler = handler
        self.errorBody = errorBody
    }

    /// Nil for plain HTTP, and before the start.
    var tls: ServerTLS? { secrets.withLock { $0 } }

    func use(_ tls: ServerTLS?) { secrets.withLock { $0 = tls } }

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

    func hasRoom(for count: Int) -> Bool {
        // Not a sum of both, which a client's number could overflow.
        count <= configuration.bodyBudget - budget.load(ordering: .relaxed)
    }

    func returnBudget(_ count: Int) {
        if count > 0 { budget.subtract(count, ordering: .relaxed) }
    }

    func overBudget(_ head: HTTPRequestHead) -> HTTPResponse {
        var response = errorBody(503, "the server holds as many request bodies as it can", head)
        response.headers.set("Retry-After", "1")
        return response
    }

    func stoppingAnswer(_ head: HTTPRequestHead?) -> HTTPResponse {
        var response = errorBody(503, "the server is stopping", head)
        response.headers.set("Retry-After", "1")
        return response
    }
}
