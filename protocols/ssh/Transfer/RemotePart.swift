import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// Writes a remote part file with several WRITEs on their way at a time.
final class RemotePart: PipedWriter {
    /// Bytes that are on their way at a time.
    static let ahead = 4 << 20

    private struct State {
        var tickets: [SFTPTicket] = []
        var isOpen = true
    }

    let client: SFTPClient
    let handle: Data
    let path: String
    let existing: Int
    /// Used by one task at a time; the lock is for the compiler and for ``abandon()``.
    private let state = Mutex(State())

    init(_ client: SFTPClient, path: String, handle: Data, existing: Int) {
        self.client = client
        self.handle = handle
        self.path = path
        self.existing = existing
    }

    deinit { abandon() }

    func cut(to size: Int) async throws {
        do {
            try await client.done(.fsetstat(handle, SFTPAttributes(size: UInt64(size))))
        } catch let status as SFTPStatus {
            throw status.failure("cannot cut \(path)")
        }
    }

    func write(_ data: Data, at offset: Int) async throws {
        let most = client.limits.write
        var rest = data
        while !rest.isEmpty {
            let piece = rest.prefix(most)
            let position = offset + data.count - rest.count
            try await add(.write(handle, offset: UInt64(position), piece), room: max(1, Self.ahead / most))
            rest = rest.dropFirst(piece.count)
        }
    }

    func write(_ count: Int, from pipe: PipeReader, at offset: Int) async throws {
        let most = client.limits.write
        var done = 0
        while done < count {
            let piece = min(most, count - done)
            try await makeRoom(max(1, Self.ahead / most))
            let ticket = try await client.write(handle, offset: offset + done, piece, from: pipe)
            state.withLock { $0.tickets.append(ticket) }
            done += piece
        }
    }

    /// Has the server copy from another of its files (`copy-data`).
    func copy(from source: Data, offset: Int, count: Int) async throws {
        try await add(
            .copyData(
                from: source, offset: UInt64(offset), count: UInt64(count), to: handle, toOffset: UInt64(offset)),
            room: 2)
    }

    /// Waits until what was sent has arrived.
    func settle() async throws {
        while let ticket = state.withLock({ $0.tickets.isEmpty ? nil : $0.tickets.removeFirst() }) {
            do {
                try await client.done(ticket)
            } catch let status as SFTPStatus {
                throw await failure(status)
            }
        }
    }

    func finish(_ source: FileFacts) async throws -> Int? {
        // All at once: a server takes requests for one file in order, and the final name comes only after each is ok.
        let attributes = SFTPAttributes(
            permissions: source.permissions.map { UInt32($0 & 0o777) },
            modified: source.modified.map { UInt32(clamping: $0) })
        let set = try await client.send(.fsetstat(handle, attributes))
        let sync = client.offers(.fsync) ? try await client.send(.fsync(handle)) : nil
        let look = try await client.send(.fstat(handle))
        let close = try await client.send(.close(handle))
        let isMine = state.withLock { state in
            defer { state.isOpen = false }
            return state.isOpen
        }
        guard isMine else { throw CancellationError() }
        defer { [set, look, close].forEach(client.forget) }
        try await settle()
        do {
            try await client.done(set)
            if let sync { try await client.done(sync) }
            let size = try await client.attributes(look).size
            try await client.done(close)
            guard let size else { throw BackendFailure(.unknown, "the server does not tell the size of \(path)") }
            return Int(clamping: size)
        } catch let status as SFTPStatus {
            throw await failure(status)
        }
    }

    func abandon() {
        let (tickets, isOpen) = state.withLock { state in
            defer { state = State(isOpen: false) }
            return (state.tickets, state.isOpen)
        }
        tickets.forEach(client.forget)
        if isOpen { client.closeLater(handle) }
    }

    private func add(_ request: SFTPRequest, room: Int) async throws {
        try await makeRoom(room)
        let ticket = try await client.send(request)
        state.withLock { $0.tickets.append(ticket) }
    }

    /// Waits until fewer are on their way.
    private func makeRoom(_ room: Int) async throws {
        while let oldest = state.withLock({ $0.tickets.count >= room ? $0.tickets.removeFirst() : nil }) {
            do {
                try await client.done(oldest)
            } catch let status as SFTPStatus {
                throw await failure(status)
            }
        }
    }

    /// OpenSSH calls a full disk "Failure": the file system's own count tells.
    private func failure(_ status: SFTPStatus) async -> BackendFailure {
        var failure = status.failure("cannot write \(path)")
        if failure.errorClass == .unknown, let free = await client.freeSpace(path), free < UInt64(Self.ahead) {
            failure = BackendFailure(.noSpace, "\(failure.reason); \(free) bytes are free there")
        }
        return failure
    }
}
