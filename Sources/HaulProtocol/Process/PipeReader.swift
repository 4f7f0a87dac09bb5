public import Foundation
import Synchronization

/// The reading end of a pipe. Only what is asked for is read: a child that writes faster than it is read waits in
/// the kernel, not in this process's memory. For one reader at a time.
public final class PipeReader: Sendable {
    private struct State {
        var waiter: CheckedContinuation<Data?, Never>?
        var upTo = 0
        var ticket: UInt64?
        /// The last read brought much.
        var isFlooded = false
        var closed = false
    }

    /// Bytes of one read from which on more are expected.
    private static let flood = 1 << 16

    private let queue: DispatchQueue
    private let loop: EventLoop?
    private let descriptor: Int32
    private let state = Mutex(State())

    /// Owns the descriptor (a pipe's, or a socket's) from here, and makes it non-blocking.
    /// - Parameter loop: Reads there, instead of on a queue of its own.
    public init(descriptor: Int32, on loop: EventLoop? = nil) {
        self.descriptor = descriptor
        self.loop = loop
        queue = loop?.queue ?? DispatchQueue(label: "haul.pipe.read")
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { close() }

    /// What there is, at least a byte; nil at the end, or once closed.
    public func read(upTo count: Int = 1 << 16) async -> Data? {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                let accepted = state.withLock { state in
                    guard !state.closed, state.waiter == nil else { return false }
                    state.waiter = continuation
                    state.upTo = max(1, count)
                    return true
                }
                if accepted { attempt() } else { continuation.resume(returning: nil) }
            }
        }
    }

    /// Ends reading: a waiting ``read(upTo:)`` gets nil.
    public func close() {
        let waiter: CheckedContinuation<Data?, Never>? = state.withLock { state in
            guard !state.closed else { return nil }
            state.closed = true
            if let ticket = state.ticket { Readiness.shared.forget(ticket) }
            Foundation.close(descriptor)
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    /// Reads for the waiter, or waits for the pipe to have something. On the queue only.
    private func attempt() {
        let answer: (CheckedContinuation<Data?, Never>, Data?)? = state.withLock { state in
            guard let waiter = state.waiter, !state.closed else { return nil }
            // What comes in floods is not copied out of the room that others read into.
            let (data, code) = Self.read(descriptor, upTo: state.upTo, by: state.isFlooded ? nil : loop?.buffer)
            if code == EAGAIN {
                state.ticket = Readiness.shared.once(.readable, of: descriptor) { [weak self] in
                    guard let self else { return }
                    queue.async { self.attempt() }
                }
                return nil
            }
            state.waiter = nil
            state.isFlooded = data?.count ?? 0 > Self.flood
            return (waiter, data)
        }
        if let (waiter, data) = answer { waiter.resume(returning: data) }
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
