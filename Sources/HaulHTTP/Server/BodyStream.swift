import CMicroHTTPD
import Synchronization

/// The bounded pipe between a handler that writes an answer and the server's thread that sends it.
///
/// The server's thread parks the connection when the pipe is empty, a writer wakes it; a writer waits when it is full.
/// Parking and waking happen under the same lock, so that no wake-up is lost.
final class BodyStream: Sendable {
    /// Bytes that may wait for the client before a writer has to.
    static let limit = 256 * 1024

    private struct State {
        var pieces: [ArraySlice<UInt8>] = []
        var buffered = 0
        var writers: [Int: CheckedContinuation<Void, any Error>] = [:]
        var nextWriter = 0
        var isParked = false
        var end: End?
        var task: Task<Void, Never>?
    }

    private enum End { case whole, broken, abandoned }

    private let state = Mutex(State())
    // Only used while the connection is parked or within its own callback: libmicrohttpd keeps it valid then.
    nonisolated(unsafe) private let connection: OpaquePointer

    init(connection: OpaquePointer) {
        self.connection = connection
    }

    func start(_ produce: @escaping @Sendable (HTTPBodyWriter) async throws -> Void) {
        let task = Task {
            do {
                try await produce(HTTPBodyWriter { [self] in try await write($0) })
                finish(.whole)
            } catch {
                finish(.broken)
            }
        }
        let isOver = state.withLock { state in
            state.task = task
            return state.end == .abandoned
        }
        if isOver { task.cancel() }
    }

    /// The server's thread asks for bytes: copies what is there, or parks the connection until there is something.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let (count, woken) = state.withLock { state -> (Int, [CheckedContinuation<Void, any Error>]) in
            var filled = 0
            var taken = 0
            while taken < state.pieces.count, filled < buffer.count {
                let piece = state.pieces[taken].prefix(buffer.count - filled)
                piece.withUnsafeBytes { buffer[filled..<(filled + piece.count)].copyBytes(from: $0) }
                filled += piece.count
                if piece.count == state.pieces[taken].count {
                    taken += 1
                } else {
                    state.pieces[taken] = state.pieces[taken].dropFirst(piece.count)
                }
            }
            state.pieces.removeFirst(taken)
            state.buffered -= filled
            if filled > 0 {
                guard state.buffered <= Self.limit else { return (filled, []) }
                defer { state.writers = [:] }
                return (filled, Array(state.writers.values))
            }
            switch state.end {
            case .whole: return (haul_mhd_end_of_stream(), [])
            case .broken, .abandoned: return (haul_mhd_end_with_error(), [])
            case nil:
                state.isParked = true
                MHD_suspend_connection(connection)
                return (0, [])
            }
        }
        for writer in woken { writer.resume() }
        return count
    }

    /// Nobody will read on: writers throw, the producer is cancelled, a parked connection wakes to be closed.
    func abandon() {
        let (writers, task) = state.withLock { state in
            if state.end != .whole || state.buffered > 0 { state.end = .abandoned }
            state.pieces = []
            state.buffered = 0
            wake(&state)
            defer { state.writers = [:] }
            return (state.writers.values, state.task)
        }
        for writer in writers { writer.resume(throwing: HTTPClientGone()) }
        task?.cancel()
    }

    /// Whether the connection waits for a writer, so that nobody else would see its client leave.
    var isParked: Bool { state.withLock { $0.isParked } }

    private func write(_ bytes: [UInt8]) async throws {
        try Task.checkCancellation()
        guard !bytes.isEmpty else { return }
        let (ticket, isFull) = try state.withLock { state in
            guard state.end == nil else { throw HTTPClientGone() }
            state.pieces.append(bytes[...])
            state.buffered += bytes.count
            wake(&state)
            state.nextWriter += 1
            return (state.nextWriter, state.buffered > Self.limit)
        }
        if isFull { try await waitForRoom(ticket) }
    }

    private func waitForRoom(_ ticket: Int) async throws {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock { state -> Result<Void, any Error>? in
                    if state.end != nil { return .failure(HTTPClientGone()) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.buffered <= Self.limit { return .success(()) }
                    state.writers[ticket] = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.writers.removeValue(forKey: ticket) }?.resume(throwing: CancellationError())
        }
    }

    private func finish(_ end: End) {
        state.withLock { state in
            if state.end == nil { state.end = end }
            wake(&state)
        }
    }

    private func wake(_ state: inout State) {
        guard state.isParked else { return }
        state.isParked = false
        MHD_resume_connection(connection)
    }
}
