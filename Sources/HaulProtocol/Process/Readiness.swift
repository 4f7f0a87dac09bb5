import CSpawn
import Foundation
import Synchronization

/// Tells when a descriptor can be read or written, once each time it is asked: one thread around epoll(7).
///
/// Not a dispatch source: libdispatch 6.3 was seen to crash in its event loop when many sources of short-lived
/// descriptors come and go, and a worker starts and ends children all day.
final class Readiness: Sendable {
    enum Event { case readable, writable }

    private struct State {
        var next: UInt64 = 0
        var callbacks: [UInt64: @Sendable () -> Void] = [:]
    }

    static let shared = Readiness()

    private let epoll = haul_ready_set()
    private let state = Mutex(State())

    private init() {
        let thread = Thread { [self] in serve() }
        thread.name = "haul.readiness"
        thread.start()
    }

    /// Calls back once, from the readiness thread: be brief. An error or the other side's end counts as ready.
    /// - Returns: For ``forget(_:)``, before the descriptor is closed.
    func once(_ event: Event, of descriptor: Int32, _ callback: @escaping @Sendable () -> Void) -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.callbacks[state.next] = callback
            if haul_ready_once(epoll, descriptor, event == .writable, state.next) != 0 {
                // Not a descriptor that can be waited for: the caller's next call on it says what is wrong.
                state.callbacks[state.next] = nil
                DispatchQueue.global().async(execute: callback)
            }
            return state.next
        }
    }

    func forget(_ ticket: UInt64) { state.withLock { $0.callbacks[ticket] = nil } }

    private func serve() {
        var tickets = [UInt64](repeating: 0, count: 64)
        while true {
            let count = haul_ready_wait(epoll, &tickets, Int32(tickets.count))
            for ticket in tickets.prefix(max(0, Int(count))) {
                state.withLock { $0.callbacks.removeValue(forKey: ticket) }?()
            }
        }
    }
}
