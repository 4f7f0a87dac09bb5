public import Foundation
import Synchronization

/// The writing end of a pipe: what is written leaves in order, and waits here while the other side does not read.
public final class PipeWriter: Sendable {
    private struct State {
        var pieces: [PipePiece] = []
        /// The queue will look at the pieces.
        var isScheduled = false
        var ticket: UInt64?
        var ending = false
        var closed = false
    }

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
        await withCheckedContinuation { continuation in
            add([PipePiece(.bytes(data)) { continuation.resume(returning: $0 == .all) }])
        }
    }

    /// Writes it later, in order. For little: nothing here waits for room.
    public func post(_ data: Data) { add([PipePiece(.bytes(data))]) }

    /// As ``post(_:)``, with nothing of others in between.
    public func post(_ head: Data, _ rest: Data) { add([PipePiece(.bytes(head)), PipePiece(.bytes(rest))]) }

    /// Moves bytes that a pipe or a socket has (``PipeReader/there()``) without their passing this process; returns once
    /// they are moved. One of both is a pipe. Nobody else reads there meanwhile; whoever closes it loses nothing of them.
    /// A task that is cancelled waits no longer (``PipeMove/refused``), and they move all the same.
    /// - Parameter head: Goes before them, with nothing of others in between.
    public func move(_ count: Int, from reader: PipeReader, after head: Data? = nil) async -> PipeMove {
        guard let source = reader.source else { return .stopped(0, code: 0) }
        return await move(.elsewhere(source, offset: nil, count: count), after: head)
    }

    /// The same of a file's bytes, which are those that it has when they are read from here.
    public func move(_ count: Int, from file: Descriptor, at offset: Int) async -> PipeMove {
        await move(.elsewhere(file, offset: offset, count: count), after: nil)
    }

    private func move(_ content: PipePiece.Content, after head: Data?) async -> PipeMove {
        let waiter = MoveWaiter()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiter.set(continuation)
                let pieces = head.map { [PipePiece(.bytes($0))] } ?? []
                add(pieces + [PipePiece(content) { waiter.resume($0) }])
                if Task.isCancelled { waiter.resume(.refused) }
            }
        } onCancel: {
            waiter.resume(.refused)
        }
    }

    /// Closes the pipe after what waits was written.
    public func finish() {
        queue.async { [self] in
            state.withLock { $0.ending = true }
            attempt()
        }
    }

    /// Closes the pipe at once; what waits is lost.
    public func close() { queue.async { [self] in shut() } }

    private func add(_ pieces: [PipePiece]) {
        let (isAccepted, isFirst) = state.withLock { state in
            guard !state.closed, !state.ending else { return (false, false) }
            for piece in pieces {
                let last = state.pieces.count - 1
                if last < 0 || !state.pieces[last].join(piece) { state.pieces.append(piece) }
            }
            defer { state.isScheduled = true }
            return (true, !state.isScheduled)
        }
        guard isAccepted else { return pieces.forEach { $0.done?(.refused) } }
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
            enum Step { case over(PipePiece, PipeMove), goOn, wait, end }
            let step: Step = state.withLock { state in
                guard !state.closed, state.ticket == nil else { return .wait }
                guard !state.pieces.isEmpty else { return state.ending ? .end : .wait }
                switch state.pieces[0].write(to: descriptor) {
                case .all: return .over(state.pieces.removeFirst(), .all)
                case .stopped(let code):
                    let piece = state.pieces.removeFirst()
                    return .over(piece, .stopped(piece.moved, code: code))
                case .some: return .goOn
                case .refused: return .end
                case .full:
                    state.ticket = Readiness.shared.once(.writable, of: descriptor) { [weak self] in
                        guard let self else { return }
                        queue.async { self.writable() }
                    }
                    return .wait
                }
            }
            switch step {
            case .over(let piece, let move): piece.done?(move)
            case .goOn: break
            case .wait: return
            case .end: return shut()
            }
        }
    }

    private func shut() {
        let pieces: [PipePiece] = state.withLock { state in
            guard !state.closed else { return [] }
            state.closed = true
            if let ticket = state.ticket { Readiness.shared.forget(ticket) }
            Foundation.close(descriptor)
            defer { state.pieces = [] }
            return state.pieces
        }
        pieces.forEach { $0.done?(.refused) }
    }
}

/// Who waits for a move: the first answer counts.
private final class MoveWaiter: Sendable {
    private let waiter = Mutex<CheckedContinuation<PipeMove, Never>?>(nil)

    func set(_ continuation: CheckedContinuation<PipeMove, Never>) { waiter.withLock { $0 = continuation } }

    func resume(_ move: PipeMove) {
        waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }?.resume(returning: move)
    }
}
