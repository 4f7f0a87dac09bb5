import CSpawn
import Foundation

/// Ends backends in time where this process can't: a small process beside it kills their groups when the time that they
/// were given is over, or this process has ended. A worker that is stopped (SIGSTOP, a debugger, a suspended machine) can
/// let its leases run out without noticing; its backends must not go on with what is somebody else's by then.
///
/// What it is told is not waited for: an order that it can't take is dropped.
public final class ProcessGuard: Sendable {
    private let orders: Int32
    /// One moment on both clocks. Should this process stand still between the two looks, the time is over too early.
    private let bootTime: Int64
    private let instant: ContinuousClock.Instant

    /// Starts the process.
    /// - Throws: ``SpawnError``.
    public init() throws {
        bootTime = haul_boot_time()
        instant = .now
        orders = haul_guard_start()
        if orders < 0 {
            throw SpawnError(
                code: -orders, description: "no guard can be started: \(String(cString: strerror(-orders)))")
        }
    }

    deinit { close(orders) }

    /// Whatever it watches may go on until then; told anew, it replaces what was told before.
    public func allow(until deadline: ContinuousClock.Instant) {
        let left = deadline - instant
        let nanoseconds = left.components.seconds * 1_000_000_000 + left.components.attoseconds / 1_000_000_000
        _ = haul_guard_until(orders, max(1, bootTime + nanoseconds))
    }

    /// Watches a backend with all of its group, until it has ended.
    public func watch(_ backend: BackendRun) {
        let pid = backend.pid
        _ = haul_guard_watch(orders, pid)
        Task {
            await backend.wait()
            _ = haul_guard_forget(orders, pid)
        }
    }
}
