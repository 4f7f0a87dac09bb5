import CSpawn
import Foundation
import Synchronization

/// A child process: started through `CSpawn`, killed by the kernel when this process ends, always reaped.
public final class Child: Sendable {
    private struct State {
        var status: ExitStatus?
        var waiters: [UInt64: CheckedContinuation<ExitStatus?, Never>] = [:]
        var nextWaiter: UInt64 = 0
        /// Until it was reaped.
        var pidfd: Int32 = -1
    }

    /// The process's id. Signal through ``signal(_:)``: the number may be another's once the child has ended.
    public let pid: Int32
    /// The pipes that the command asked for.
    public let input: PipeWriter?
    public let output: PipeReader?
    public let errors: PipeReader?

    private static let starting = DispatchQueue(label: "haul.child.start", attributes: .concurrent)
    private static let reaping = DispatchQueue(label: "haul.child.reap")

    private static let ignoresBrokenPipes: Void = { _ = Foundation.signal(SIGPIPE, SIG_IGN) }()

    private let leadsGroup: Bool
    private let state = Mutex(State())

    /// Starts a command; returns once it runs its program.
    /// - Parameter loop: Its pipes are read and written there.
    /// - Throws: ``SpawnError``.
    public static func start(_ command: Command, on loop: EventLoop? = nil) async throws -> Child {
        try await withCheckedThrowingContinuation { continuation in
            starting.async { continuation.resume(with: Result { try Child(command, loop) }) }
        }
    }

    private init(_ command: Command, _ loop: EventLoop?) throws {
        // A child that stops reading is an error of the write, not the end of this process.
        _ = Self.ignoresBrokenPipes
        var streams = try ChildStreams(command)
        let result = streams.spawn(command)
        streams.closeTheirs()
        guard result.error == 0 else {
            streams.closeOurs()
            throw SpawnError(
                code: result.error,
                description: "\(command.executable) cannot be started: \(String(cString: strerror(result.error)))")
        }
        pid = result.pid
        leadsGroup = command.newGroup
        input = streams.input.map { PipeWriter(descriptor: $0, on: loop) }
        output = streams.output.map { PipeReader(descriptor: $0, on: loop) }
        errors = streams.errors.map { PipeReader(descriptor: $0, on: loop) }
        state.withLock { $0.pidfd = result.pidfd }
        watch(pidfd: result.pidfd)
    }

    /// How it ended; nil while it runs.
    public var status: ExitStatus? { state.withLock { $0.status } }

    /// False from the moment of its end, of which ``status`` hears a little later.
    public var runs: Bool {
        state.withLock { state in
            var code: Int32 = 0
            var value: Int32 = 0
            return state.pidfd >= 0 && haul_reap(state.pidfd, true, &code, &value) == 1
        }
    }

    /// Waits for its end.
    /// - Parameter limit: The longest to wait; then the answer is nil.
    public func wait(atMost limit: Duration) async -> ExitStatus? {
        await withCheckedContinuation { continuation in
            let (status, ticket) = enlist(continuation)
            if let status { return continuation.resume(returning: status) }
            Self.reaping.asyncAfter(deadline: .now() + limit.seconds) { [weak self] in
                self?.state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: nil)
            }
        }
    }

    /// Waits for its end, however long that takes.
    public func wait() async -> ExitStatus {
        while true {
            if let status = await withCheckedContinuation({ continuation in
                let (status, _) = enlist(continuation)
                if let status { continuation.resume(returning: status) }
            }) {
                return status
            }
        }
    }

    /// Sends a signal to the child, with its group where it leads one; nothing once it has ended.
    public func signal(_ number: Int32) {
        state.withLock { state in
            // Until it is reaped, under this lock, the number cannot be anyone else's.
            if state.status == nil { kill(leadsGroup ? -pid : pid, number) }
        }
    }

    /// Ends the child: SIGTERM, and SIGKILL where that is not heeded within `grace`.
    @discardableResult
    public func stop(grace: Duration = .seconds(5)) async -> ExitStatus {
        signal(SIGTERM)
        if let status = await wait(atMost: grace) { return status }
        signal(SIGKILL)
        return await wait()
    }

    private func enlist(_ continuation: CheckedContinuation<ExitStatus?, Never>) -> (ExitStatus?, UInt64) {
        state.withLock { state in
            if let status = state.status { return (status, 0) }
            state.nextWaiter += 1
            state.waiters[state.nextWaiter] = continuation
            return (nil, state.nextWaiter)
        }
    }

    /// The callback holds this object until the child is reaped: no zombie, even if nobody waits.
    private func watch(pidfd: Int32) {
        _ = Readiness.shared.once(.readable, of: pidfd) { [self] in
            Self.reaping.async { self.reap(pidfd) }
        }
    }

    private func reap(_ pidfd: Int32) {
        let waiters: [CheckedContinuation<ExitStatus?, Never>]? = state.withLock { state in
            var code: Int32 = 0
            var value: Int32 = 0
            if haul_reap(pidfd, true, &code, &value) == 1 { return nil }
            // What is left of the group goes first: while the child is a zombie its number is not given away.
            if leadsGroup { kill(-pid, SIGKILL) }
            switch haul_reap(pidfd, false, &code, &value) {
            case 0: state.status = code == Int32(CLD_EXITED) ? .exited(value) : .signalled(value)
            case 1: return nil
            default: state.status = .exited(255)
            }
            defer { (state.waiters, state.pidfd) = ([:], -1) }
            return Array(state.waiters.values)
        }
        guard let waiters else { return watch(pidfd: pidfd) }
        close(pidfd)
        let status = status
        waiters.forEach { $0.resume(returning: status) }
    }
}
