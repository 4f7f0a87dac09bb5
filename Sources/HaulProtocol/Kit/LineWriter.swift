import Foundation
import Synchronization

/// Standard output of a backend: whole lines, in order, written by a queue of its own so that a worker that reads
/// slowly blocks no task. What waits is bounded: ``offer(_:)`` drops when full, ``write(_:)`` waits for room.
final class LineWriter: Sendable {
    private struct State {
        /// Lines that no write has taken yet.
        var pending = Data()
        var isScheduled = false
        /// With those that are being written.
        var waitingBytes = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private static let roof = 4 << 20

    private let queue = DispatchQueue(label: "haul.backend.stdout")
    private let descriptor: Int32
    private let state = Mutex(State())

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Writes the line later, unless too much waits already: then false.
    func offer(_ line: Data) -> Bool {
        let (accepted, isFirst) = state.withLock { state in
            guard state.waitingBytes < Self.roof else { return (false, false) }
            state.waitingBytes += line.count
            state.pending.append(line)
            defer { state.isScheduled = true }
            return (true, !state.isScheduled)
        }
        if isFirst { queue.async { [self] in writePending() } }
        return accepted
    }

    /// Returns once there was room for the line.
    func write(_ line: Data) async {
        while !offer(line) {
            await withCheckedContinuation { continuation in
                let room = state.withLock { state in
                    if state.waitingBytes < Self.roof { return true }
                    state.waiters.append(continuation)
                    return false
                }
                if room { continuation.resume() }
            }
        }
    }

    /// Returns once everything before it is written.
    func flush() async {
        await withCheckedContinuation { continuation in
            queue.async { continuation.resume() }
        }
    }

    /// Writes what waits by now with one call. On the queue only.
    private func writePending() {
        let lines = state.withLock { state in
            defer { (state.pending, state.isScheduled) = (Data(), false) }
            return state.pending
        }
        writeAll(lines)
        let waiters = state.withLock { state in
            state.waitingBytes -= lines.count
            guard state.waitingBytes < Self.roof / 2 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.waiters = [] }
            return state.waiters
        }
        waiters.forEach { $0.resume() }
    }

    private func writeAll(_ line: Data) {
        line.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if count > 0 {
                    written += count
                } else if errno != EINTR {
                    // Nobody reads any more: the worker is gone or has given this process up.
                    exit(1)
                }
            }
        }
    }
}
