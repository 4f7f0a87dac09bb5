import HaulModel
import Synchronization

@testable import HaulEngine
@testable import HaulStore

/// How the servers of a world ask each other: one calls the other's engine. It may be cut, or the other be away.
final class SimulatedNetwork: OtherServers {
    private struct Node {
        weak var engine: Engine?
        var disk: SimulatedDisk
    }

    private struct State {
        var nodes: [Int: Node] = [:]
        var isCut = false
    }

    private let state = Mutex(State())

    /// A server can be asked from now on.
    func join(_ engine: Engine, _ disk: SimulatedDisk) {
        state.withLock { $0.nodes[engine.identity.id] = Node(engine: engine, disk: disk) }
    }

    /// A server is away.
    func leave(_ id: Int) { state.withLock { $0.nodes[id] = nil } }

    /// None can be asked.
    func cut(_ isCut: Bool) { state.withLock { $0.isCut = isCut } }

    /// - Throws: as a server's answer is read: nothing is heard of one that died over it.
    private func ask<T: Sendable>(_ server: KnownServer, _ body: (Engine) async throws -> T) async throws -> T {
        let found = state.withLock { state -> (Engine, SimulatedDisk)? in
            guard !state.isCut, let node = state.nodes[server.id], let engine = node.engine else { return nil }
            return (engine, node.disk)
        }
        guard let (engine, disk) = found, !disk.isDead else { throw ServerUnreachable("server \(server.id) is away") }
        let answer: Result<T, any Error>
        do { answer = .success(try await body(engine)) } catch { answer = .failure(error) }
        guard !disk.isDead else { throw ServerUnreachable("server \(server.id) died") }
        do { return try answer.get() } catch StoreError.unavailable(let cause) {
            throw EngineError(
                .unavailable, code: "unavailable", detail: "The server can't do it now.", hint: "Try again.",
                cause: cause)
        }
    }

    func append(
        _ bytes: [UInt8], at offset: Int, to stream: AttemptStream, of attempt: AttemptID, at server: KnownServer
    ) async throws -> Int {
        try await ask(server) { try await $0.append(bytes, at: offset, to: stream, of: attempt) }
    }

    func report(_ reports: [Report], at server: KnownServer) async throws -> [Verdict] {
        try await ask(server) { try await $0.reportHandedOn(reports) }
    }

    func lose(_ attempts: [AttemptID], because reason: String, _ loss: Loss, at server: KnownServer) async throws {
        try await ask(server) { try await $0.loseHandedOn(attempts, because: reason, loss) }
    }

    func follow(
        _ attempt: AttemptID, from offset: Int, at server: KnownServer,
        write: @escaping @Sendable ([UInt8]) async throws -> Void
    ) async throws {
        try await ask(server) { engine in
            guard let job = try await engine.job(attempt.jobID) else { throw EngineError.noJob(attempt.jobID) }
            try await engine.follow(attempt, of: job, from: offset, isHandedOn: true, write: write)
        }
    }
}
