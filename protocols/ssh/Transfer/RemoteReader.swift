import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// Reads a remote file with several READs on their way at a time.
final class RemoteReader: CopyReader {
    /// Bytes that are asked for ahead: twice what one SSH channel's window lets through.
    static let ahead = 4 << 20

    private struct Piece {
        var ticket: SFTPTicket
        var offset: Int
        var count: Int
    }

    private struct State {
        var pieces: [Piece] = []
        var next: Int
        var isOpen = true
    }

    private let client: SFTPClient
    private let handle: Data
    private let path: String
    private let end: Int
    private let chunk: Int
    private let ahead: Int
    /// Used by one task at a time; the lock is for the compiler and for ``abandon()``.
    private let state: Mutex<State>

    init(_ client: SFTPClient, path: String, handle: Data, _ order: ReadOrder) {
        self.client = client
        self.handle = handle
        self.path = path
        end = order.to
        // Where a bandwidth is kept to, no more than a second's bytes are on their way.
        chunk = min(client.limits.chunk, max(1, (order.bandwidth ?? .max) / 4))
        ahead = min(Self.ahead, order.bandwidth ?? .max)
        state = Mutex(State(next: order.from))
    }

    deinit { abandon() }

    func next() async throws -> Data? {
        try await fill()
        guard let piece = state.withLock({ $0.pieces.isEmpty ? nil : $0.pieces.removeFirst() }) else { return nil }
        do {
            guard var data = try await client.data(piece.ticket), !data.isEmpty else { throw shorter }
            guard data.count <= piece.count else { throw BackendFailure(.unknown, "\(path): more came than was asked") }
            // A server may give less than was asked although more is there.
            while data.count < piece.count {
                let rest = SFTPRequest.read(
                    handle, offset: UInt64(piece.offset + data.count), count: UInt32(piece.count - data.count))
                guard let more = try await client.data(try await client.send(rest)), !more.isEmpty,
                    more.count <= piece.count - data.count
                else { throw shorter }
                data.append(more)
            }
            return data
        } catch let status as SFTPStatus {
            throw status.failure("cannot read \(path)")
        }
    }

    func finish() async throws -> FileFacts? {
        defer { abandon() }
        return try? await client.attributes(.fstat(handle)).facts
    }

    func abandon() {
        let open: [Piece]? = state.withLock { state in
            guard state.isOpen else { return nil }
            state.isOpen = false
            defer { state.pieces = [] }
            return state.pieces
        }
        guard let open else { return }
        open.forEach { client.forget($0.ticket) }
        client.closeLater(handle)
    }

    private func fill() async throws {
        while true {
            let (offset, count) = state.withLock { state in
                let room = state.pieces.count * chunk < ahead || state.pieces.isEmpty
                return (state.next, room ? min(chunk, end - state.next) : 0)
            }
            if count <= 0 { return }
            let ticket = try await client.send(.read(handle, offset: UInt64(offset), count: UInt32(count)))
            state.withLock { state in
                state.pieces.append(Piece(ticket: ticket, offset: offset, count: count))
                state.next += count
            }
        }
    }

    private var shorter: BackendFailure {
        BackendFailure(.interrupted, "\(path) became shorter while it was read")
    }
}
