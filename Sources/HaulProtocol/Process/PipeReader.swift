public import Foundation
import Synchronization

/// The reading end of a pipe. Only what is asked for is read: a child that writes faster than it is read waits in
/// the kernel, not in this process's memory. For one reader at a time.
public final class PipeReader: Sendable {
    private struct State {
        var waiter: CheckedContinuation<Data?, Never>?
        var upTo = 0
        var armed = false
        var closed = false
    }

    private let queue = DispatchQueue(label: "haul.pipe.read")
    private let descriptor: Int32
    /// Unsafe in the compiler's eyes only: libdispatch's objects may be used from any thread.
    nonisolated(unsafe) private let source: any DispatchSourceRead
    private let state = Mutex(State())

    /// Owns the descriptor from here, and makes it non-blocking.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setCancelHandler { Foundation.close(descriptor) }
        source.setEventHandler { [weak self] in self?.readable() }
    }

    deinit {
        let armed = state.withLock { $0.armed }
        source.cancel()
        if !armed { source.resume() }
    }

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
        let (waiter, first, armed) = state.withLock { state in
            defer {
                state.closed = true
                state.waiter = nil
                state.armed = true
            }
            return (state.waiter, !state.closed, state.armed)
        }
        guard first else { return }
        source.cancel()
        if !armed { source.resume() }
        waiter?.resume(returning: nil)
    }

    private func readable() {
        let wasOpen = state.withLock { state in
            guard !state.closed, state.armed else { return false }
            state.armed = false
            source.suspend()
            return true
        }
        if wasOpen { attempt() }
    }

    /// Reads for the waiter, or waits for the pipe to have something. On the queue only.
    private func attempt() {
        let answer: (CheckedContinuation<Data?, Never>, Data?)? = state.withLock { state in
            guard let waiter = state.waiter, !state.closed else { return nil }
            var buffer = Data(count: state.upTo)
            let count = buffer.withUnsafeMutableBytes { bytes in
                var count: Int
                repeat {
                    count = Foundation.read(descriptor, bytes.baseAddress, bytes.count)
                } while count < 0
                    && errno == EINTR
                return count
            }
            if count < 0, errno == EAGAIN {
                state.armed = true
                source.resume()
                return nil
            }
            state.waiter = nil
            return (waiter, count > 0 ? buffer.prefix(count) : nil)
        }
        if let (waiter, data) = answer { waiter.resume(returning: data) }
    }
}
