import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A directory that is read, with a few READDIRs on their way ahead: a server takes those of one handle in order. What
/// has arrived and was not asked for waits, so these few are all that a directory opened ahead has in memory.
final class RemoteDirectory: Sendable {
    /// READDIRs on their way at a time: OpenSSH gives 100 names each.
    private static let ahead = 3

    private struct State {
        var tickets: [SFTPTicket] = []
        var isOpen = true
    }

    private let client: SFTPClient
    private let handle: Data
    /// Used by one task at a time; the lock is for the compiler and for ``close()``.
    private let state = Mutex(State())

    init(_ path: String, at place: RemotePlace) async throws {
        client = place.client
        do {
            handle = try await client.handle(.opendir(path))
        } catch let status as SFTPStatus {
            throw status.failure("cannot read the directory \(path)")
        }
        for _ in 0..<Self.ahead { try await ask() }
    }

    deinit { close() }

    /// The next names, without `.` and `..`; nil at the end.
    func next() async throws -> [SFTPReply.Name]? {
        guard let ticket = state.withLock({ $0.tickets.isEmpty ? nil : $0.tickets.removeFirst() }) else { return nil }
        guard let names = try await client.names(ticket) else {
            close()
            return nil
        }
        try await ask()
        return names.filter { $0.bytes != Data(".".utf8) && $0.bytes != Data("..".utf8) }
    }

    func close() {
        let tickets: [SFTPTicket]? = state.withLock { state in
            guard state.isOpen else { return nil }
            defer { state = State(isOpen: false) }
            return state.tickets
        }
        guard let tickets else { return }
        tickets.forEach(client.forget)
        client.closeLater(handle)
    }

    private func ask() async throws {
        let ticket = try await client.send(.readdir(handle))
        let isMine = state.withLock { state in
            if state.isOpen { state.tickets.append(ticket) }
            return state.isOpen
        }
        if !isMine { client.forget(ticket) }
    }

    /// Whether there is anything in a directory.
    static func hasEntries(_ path: String, at place: RemotePlace) async throws -> Bool {
        let directory = try await RemoteDirectory(path, at: place)
        defer { directory.close() }
        while let names = try await directory.next() {
            if !names.isEmpty { return true }
        }
        return false
    }
}
