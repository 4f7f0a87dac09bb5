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
        /// The queue will look at the pieces.
        var isScheduled = false
        var ticket: UInt64?
        var ending = false
        var closed = false
    }

    /// Pieces that nobody waits for go together up to so many bytes: one write, and one wakeup of who reads, for many.
    private static let together = 1 << 17

    private let queue: DispatchQueue
    private let descriptor: Int32
    private let state = Mutex(State())

    /// Owns the descriptor (a pipe's, or a socket's) from here, and makes it non-blocking.
    /// - Parameter loop: Writes there, instead of on a queue of its own.
    public init(descriptor: Int32, on loop: EventLoop? = nil) {
        self.descriptor = descriptor
        queue = loop?.queue ?? DispatchQueue(label: "haul.pipe.write")
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { shut() }

    /// Writes all of it; returns once the pipe took it. False once the other side does not read any more.
    public func write(_ data: Data) async -> Bool {
        await withCheckedContinuation { add([Piece(data: data, done: $0)]) }
    }

    /// Writes it later, in order. For little: nothing here waits for room.
    public func post(_ data: Data) { add([Piece(data: data, done: nil)]) }

    /// As ``post(_:)``, with nothing of others in between.
    public func post(_ head: Data, _ rest: Data) { add([Piece(data: head, done: nil), Piece(data: rest, done: nil)]) }

    /// Closes the pipe after what waits was written.
    public func finish() {
        queue.async { [self] in
            state.withLock { $0.ending = true }
            attempt()
        }
    }

    /// Closes the pipe at once; what waits is lost.
    public func close() { queue.async { [self] in shut() } }

    private func add(_ pieces: [Piece]) {
        let (isAccepted, isFirst) = state.withLock { state in
            guard !state.closed, !state.ending else { return (false, false) }
            for piece in pieces {
                // Not to what was written in part: what is through would stay in memory with it.
                if piece.done == nil, let last = state.pieces.last, last.done == nil, last.data.startIndex == 0,
                    last.data.count + piece.data.count <= Self.together
                {
                    state.pieces[state.pieces.count - 1].data.append(piece.data)
                } else {
                    state.pieces.append(piece)
                }
            }
            defer { state.isScheduled = true }
            return (true, !state.isScheduled)
        }
        guard isAccepted else { return pieces.forEach { $0.done?.resume(returning: false) } }
        if isFirst {
            queue.async { [self] in
                state.withLock { $0.isScheduled = false }
                attempt()
            }
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
