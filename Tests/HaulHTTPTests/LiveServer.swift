import Foundation
import HaulHTTP
import Synchronization
import Testing

/// Runs a server on a free port for as long as the body runs.
func withServer(
    _ configure: (inout HTTPServerConfiguration) -> Void = { _ in }, bodyLimit: Int = 1024 * 1024,
    _ handler: @escaping @Sendable (HTTPRequest) async -> HTTPResponse,
    _ body: (HTTPServer) async throws -> Void
) async throws {
    var configuration = HTTPServerConfiguration()
    configure(&configuration)
    let server = HTTPServer(configuration: configuration, bodyLimit: { _ in bodyLimit }, handler: handler)
    try server.start()
    do {
        try await body(server)
    } catch {
        await server.stop(grace: 0)
        throw error
    }
    await server.stop(grace: 0)
}

extension HTTPServer {
    func url(_ target: String) -> String { "http://127.0.0.1:\(port)\(target)" }
}

/// Waits until a condition holds.
func eventually(seconds: Double = 60, _ condition: () -> Bool) async -> Bool {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
        if condition() { return true }
        await Task.yield()
        try? await Task.sleep(for: .milliseconds(5))
    }
    return condition()
}

/// A count that tests and handlers share.
final class Counter: Sendable {
    private let value = Atomic<Int>(0)
    var count: Int { value.load(ordering: .sequentiallyConsistent) }
    func add(_ n: Int = 1) { value.add(n, ordering: .sequentiallyConsistent) }
}

/// Waiters that one call lets go, or their cancellation.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var next = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }
    private let state = Mutex(State())

    func wait() async {
        let ticket = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goes = state.withLock { state in
                    if state.isOpen || Task.isCancelled { return true }
                    state.waiters[ticket] = continuation
                    return false
                }
                if goes { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume()
        }
    }

    func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }
}
