public import Foundation
import Synchronization

/// The writing end of a pipe: what is written leaves in order, and waits here while the other side does not read.
public final class PipeWriter: Sendable {
    private struct Piece {
        var data: Data
        var done: CheckedContinuation<Bool, Never>?
    }

    private struct State {
        var pieces: [Piece] = []
        var armed = false
        var ending = false
        var closed = false
    }

    private let queue = DispatchQueue(label: "haul.pipe.write")
    private let descriptor: Int32
    /// Unsafe in the compiler's eyes only: libdispatch's objects may be used from any thread.
    nonisolated(unsafe) private let source: any DispatchSourceWrite
    private let state = Mutex(State())

    /// Owns the descriptor from here, and makes it non-blocking.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        source = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
        source.setCancelHandler { Foundation.close(descriptor) }
        source.setEventHandler { [weak self] in self?.writable() }
    }

    deinit {
        let armed = state.withLock { $0.armed }
        source.cancel()
        if !armed { source.resume() }
    }

    /// Writes all of it; returns once the pipe took it. False once the other side does not read any more.
    public func write(_ data: Data) async -> Bool {
        await withCheckedContinuation { add(Piece(data: data, done: $0)) }
    }

    /// Writes it later, in order. For little: nothing here waits for room.
    public func post(_ data: Data) { add(Piece(data: data, done: nil)) }

    /// Closes the pipe after what waits was written.
    public func finish() {
        queue.async { [self] in
            state.withLock { $0.ending = true }
            attempt()
        }
    }

    /// Closes the pipe at once; what waits is lost.
    public func close() { queue.async { [self] in shut() } }

    private func add(_ piece: Piece) {
        queue.async { [self] in
            let accepted = state.withLock { state in
                guard !state.closed, !state.ending else { return false }
                state.pieces.append(piece)
                return true
            }
            if accepted { attempt() } else { piece.done?.resume(returning: false) }
        }
    }

    private func writable() {
        let wasOpen = state.withLock { state in
            guard !state.closed, state.armed else { return false }
            state.armed = false
            source.suspend()
            return true
        }
        if wasOpen { attempt() }
    }

    /// Writes as much as the pipe takes. On the queue only.
    private func attempt() {
        while true {
            enum Step { case wrote(Piece), wait, over }
            let step: Step = state.withLock { state in
                guard !state.closed, !state.armed else { return .wait }
                guard var piece = state.pieces.first else { return state.ending ? .over : .wait }
                let count = piece.data.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
                if count >= 0 {
                    piece.data = piece.data.dropFirst(count)
                    if !piece.data.isEmpty {
                        state.pieces[0] = piece
                    } else {
                        return .wrote(state.pieces.removeFirst())
                    }
                } else if errno != EAGAIN, errno != EINTR {
                    return .over
                }
                state.armed = true
                source.resume()
                return .wait
            }
            switch step {
            case .wrote(let piece): piece.done?.resume(returning: true)
            case .wait: return
            case .over: return shut()
            }
        }
    }

    private func shut() {
        let (pieces, first, armed) = state.withLock { state in
            defer {
                state.closed = true
                state.armed = true
                state.pieces = []
            }
            return (state.pieces, !state.closed, state.armed)
        }
        guard first else { return }
        source.cancel()
        if !armed { source.resume() }
        pieces.forEach { $0.done?.resume(returning: false) }
    }
}
