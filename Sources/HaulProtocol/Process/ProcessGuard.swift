import CSpawn
import Foundation
import Synchronization

/// Ends backends in time where this process can't: a small process beside it kills their groups when the time that they
/// were given is over, or this process has ended. A worker that is stopped (SIGSTOP, a debugger, a suspended machine) can
/// let its leases run out without noticing; its backends must not go on with what is somebody else's by then.
///
/// What it is told is not waited for. Where the small process is gone, or stands still until it can be told no more,
/// another takes its place and is told all that counts.
public final class ProcessGuard: Sendable {
    /// The process that stands there, by what it is told through.
    private struct Post {
        let orders: Int32
        /// Descriptors are given anew: this is not.
        let number: Int
        /// For ``Readiness``: its end.
        var ticket: UInt64?
    }

    private struct State {
        var post: Post?
        var watched: Set<Int32> = []
        var deadline: Int64?
        var started = ContinuousClock.now
        var count = 1
        /// Why another is about to be started; nil where none is.
        var loss: String?
        /// None could be started, and that was said.
        var isMissed = false
    }

    private let state: Mutex<State>
    private let onEvent: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "haul.guard")
    /// One moment on both clocks. Should this process stand still between the two looks, the time is over too early.
    private let bootTime: Int64
    private let instant: ContinuousClock.Instant
    /// Seconds between two that are started.
    private static let pace = 1.0

    /// Starts the process.
    ///
    /// - Parameter onEvent: told when it is gone, and when none can take its place.
    /// - Throws: ``SpawnError``.
    public init(onEvent: @escaping @Sendable (String) -> Void) throws {
        bootTime = haul_boot_time()
        instant = .now
        self.onEvent = onEvent
        state = Mutex(State(post: Post(orders: try Self.start(), number: 1)))
        state.withLock { attend(&$0) }
    }

    deinit {
        state.withLock { state in
            guard let post = state.post else { return }
            if let ticket = post.ticket { Readiness.shared.forget(ticket) }
            close(post.orders)
        }
    }

    /// Whatever it watches may go on until then; told anew, it replaces what was told before.
    public func allow(until deadline: ContinuousClock.Instant) {
        let left = deadline - instant
        let nanoseconds = left.components.seconds * 1_000_000_000 + left.components.attoseconds / 1_000_000_000
        let time = max(1, bootTime + nanoseconds)
        state.withLock { state in
            state.deadline = time
            tell(&state) { haul_guard_until($0, time) }
        }
    }

    /// Watches a backend with all of its group, until it has ended.
    public func watch(_ backend: BackendRun) {
        let pid = backend.pid
        state.withLock { state in
            state.watched.insert(pid)
            tell(&state) { haul_guard_watch($0, pid) }
        }
        Task {
            await backend.wait()
            state.withLock { state in
                state.watched.remove(pid)
                tell(&state) { haul_guard_forget($0, pid) }
            }
        }
    }

    private static func start() throws -> Int32 {
        let orders = haul_guard_start()
        if orders < 0 {
            throw SpawnError(
                code: -orders, description: "no guard can be started: \(String(cString: strerror(-orders)))")
        }
        return orders
    }

    /// Gives an order; who does not take it is replaced.
    private func tell(_ state: inout State, _ order: (Int32) -> Int32) {
        guard let post = state.post, order(post.orders) != 0 else { return }
        replace(&state, because: errno == EPIPE ? "it has ended" : "it takes no orders")
    }

    /// Waits for the end of the one that stands there: nobody reads what is written any more.
    private func attend(_ state: inout State) {
        guard let post = state.post else { return }
        state.post?.ticket = Readiness.shared.once(.readable, of: post.orders) { [weak self] in
            guard let self else { return }
            queue.async {
                self.state.withLock { state in
                    // Another may stand there by now.
                    guard state.post?.number == post.number else { return }
                    state.post?.ticket = nil
                    self.replace(&state, because: "it has ended")
                }
            }
        }
    }

    private func replace(_ state: inout State, because reason: String) {
        if let post = state.post {
            if let ticket = post.ticket { Readiness.shared.forget(ticket) }
            close(post.orders)
            state.post = nil
        }
        guard state.loss == nil else { return }
        state.loss = reason
        // Should each end at once, something is wrong that haste makes worse.
        let pause = max(0, Self.pace - (ContinuousClock.now - state.started).seconds)
        queue.asyncAfter(deadline: .now() + pause) { [weak self] in self?.stand() }
    }

    /// Starts another, and tells it all that counts. On the queue.
    private func stand() {
        let started = Result { try Self.start() }
        let event: String? = state.withLock { state in
            state.started = .now
            switch started {
            case .success(let orders):
                let event = "\(state.loss ?? "it is gone"): another stands there"
                state.loss = nil
                state.isMissed = false
                state.count += 1
                state.post = Post(orders: orders, number: state.count)
                attend(&state)
                // First whom it watches: the time may be over already.
                for pid in state.watched { tell(&state) { haul_guard_watch($0, pid) } }
                if let time = state.deadline { tell(&state) { haul_guard_until($0, time) } }
                return event
            case .failure(let error):
                queue.asyncAfter(deadline: .now() + Self.pace) { [weak self] in self?.stand() }
                defer { state.isMissed = true }
                return state.isMissed ? nil : "\(error)"
            }
        }
        if let event { onEvent(event) }
    }
}
