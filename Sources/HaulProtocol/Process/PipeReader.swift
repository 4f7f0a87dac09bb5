import CFiles
public import Foundation
import Synchronization

/// The reading end of a pipe. Only what is asked for is read: a child that writes faster than it is read waits in
/// the kernel, not in this process's memory. For one reader at a time.
public final class PipeReader: Sendable {
    /// Who waits, and for what.
    private enum Waiter: Sendable {
        case bytes(CheckedContinuation<Data?, Never>, upTo: Int)
        case count(CheckedContinuation<Int, Never>)
    }

    private enum Answer: Sendable {
        case bytes(CheckedContinuation<Data?, Never>, Data?)
        case count(CheckedContinuation<Int, Never>, Int)

        func give() {
            switch self {
            case .bytes(let continuation, let data): continuation.resume(returning: data)
            case .count(let continuation, let count): continuation.resume(returning: count)
            }
        }
    }

    private struct State {
        /// Nil once closed.
        var source: Descriptor?
        var waiter: Waiter?
        var ticket: UInt64?
        /// The last read brought much.
        var isFlooded = false
    }

    /// Bytes of one read from which on more are expected.
    private static let flood = 1 << 16

    private let queue: DispatchQueue
    private let loop: EventLoop?
    private let state: Mutex<State>

    /// Owns the descriptor (a pipe's, or a socket's) from here, and makes it non-blocking.
    /// - Parameter loop: Reads there, instead of on a queue of its own.
    public init(descriptor: Int32, on loop: EventLoop? = nil) {
        state = Mutex(State(source: Descriptor(owning: descriptor)))
        self.loop = loop
        queue = loop?.queue ?? DispatchQueue(label: "haul.pipe.read")
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { close() }

    /// What bytes are moved from without being read here: stays open for whoever holds it. Nil once closed.
    var source: Descriptor? { state.withLock { $0.source } }

    /// What there is, at least a byte; nil at the end, or once closed.
    public func read(upTo count: Int = 1 << 16) async -> Data? {
        await withCheckedContinuation { continuation in
            wait(.bytes(continuation, upTo: max(1, count)))
        }
    }

    /// Waits for bytes, and leaves them there.
    /// - Returns: How many can be read now; 0 at the end, or once closed.
    public func there() async -> Int {
        await withCheckedContinuation { continuation in wait(.count(continuation)) }
    }

    /// Ends reading: a waiting ``read(upTo:)`` gets nil.
    public func close() {
        let waiter: Waiter? = state.withLock { state in
            guard state.source != nil else { return nil }
            state.source = nil
            if let ticket = state.ticket { Readiness.shared.forget(ticket) }
            defer { state.waiter = nil }
            return state.waiter
        }
        if let waiter { Self.end(waiter).give() }
    }

    private func wait(_ waiter: Waiter) {
        queue.async { [self] in
            let accepted = state.withLock { state in
                guard state.source != nil, state.waiter == nil else { return false }
                state.waiter = waiter
                return true
            }
            if accepted { attempt() } else { Self.end(waiter).give() }
        }
    }

    /// Answers the waiter, or waits for the pipe to have something. On the queue only.
    private func attempt() {
        let answer = state.withLock { state -> Answer? in
            guard let waiter = state.waiter, let descriptor = state.source?.raw else { return nil }
            guard let answer = self.answer(waiter, descriptor, &state.isFlooded) else {
                state.ticket = Readiness.shared.once(.readable, of: descriptor) { [weak self] in
                    guard let self else { return }
                    queue.async { self.attempt() }
                }
                return nil
            }
            state.waiter = nil
            return answer
        }
        answer?.give()
    }

    /// Nil where there is nothing yet.
    private func answer(_ waiter: Waiter, _ descriptor: Int32, _ isFlooded: inout Bool) -> Answer? {
        switch waiter {
        case .bytes(let continuation, let most):
            // What comes in floods is not copied out of the room that others read into.
            let (data, code) = Self.read(descriptor, upTo: most, by: isFlooded ? nil : loop?.buffer)
            if code == EAGAIN { return nil }
            isFlooded = data?.count ?? 0 > Self.flood
            return .bytes(continuation, data)
        case .count(let continuation):
            let count = haul_there(descriptor)
            return count < 0 ? nil : .count(continuation, count)
        }
    }

    /// There is nothing, and will not be.
    private static func end(_ waiter: Waiter) -> Answer {
        switch waiter {
        case .bytes(let continuation, _): .bytes(continuation, nil)
        case .count(let continuation): .count(continuation, 0)
        }
    }

    /// Nil at the end, and with a code where there is nothing.
    /// - Parameter shared: Room that others read into as well, in turns.
    private static func read(
        _ descriptor: Int32, upTo most: Int, by shared: UnsafeMutableRawBufferPointer?
    ) -> (Data?, code: Int32) {
        // Not zeroed first, as Data does: most reads bring little.
        guard let buffer = shared?.baseAddress ?? malloc(most) else { return (nil, ENOMEM) }
        let most = min(most, shared?.count ?? most)
        var count: Int
        repeat { count = Foundation.read(descriptor, buffer, most) } while count < 0 && errno == EINTR
        let code = count < 0 ? errno : 0
        if shared == nil, count >= most / 2, count > 0 {
            return (Data(bytesNoCopy: buffer, count: count, deallocator: .free), 0)
        }
        defer { if shared == nil { free(buffer) } }
        return count > 0 ? (Data(bytes: buffer, count: count), 0) : (nil, code)
    }
}
