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
        var ticket: UInt64?
        var ending = false
        var closed = false
    }

    private let queue = DispatchQueue(label: "haul.pipe.write")
    private let descriptor: Int32
    private let state = Mutex(State())

    /// Owns the descriptor (a pipe's, or a socket's) from here, and makes it non-blocking.
    public init(descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { shut() }

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
        state.withLock { $0.ticket = nil }
        attempt()
    }

    /// Writes as much as the pipe takes. On the queue only.
    private func attempt() {
        while true {
            enum Step { case wrote(Piece), wait, over }
            let step: Step = state.withLock { state in
                guard !state.closed, state.ticket == nil else { return .wait }
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
                state.ticket = Readiness.shared.once(.writable, of: descriptor) { [weak self] in
                    guard let self else { return }
                    queue.async { self.writable() }
                }
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
        let pieces: [Piece] = state.withLock { state in
            guard !state.closed else { return [] }
            state.closed = true
            if let ticket = state.ticket { Readiness.shared.forget(ticket) }
            Foundation.close(descriptor)
            defer { state.pieces = [] }
            return state.pieces
        }
        pieces.forEach { $0.done?.resume(returning: false) }
    }
}
