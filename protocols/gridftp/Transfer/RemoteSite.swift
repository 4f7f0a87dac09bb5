import HaulModel
import HaulProtocol
import Synchronization

/// A site as the elements of a batch share it: its server, and what is known of its files for the moment.
struct RemoteSite: Sendable {
    let server: Server
    let lookout: Lookout
    let directories = Directories()

    init(_ site: GridFTPSite) {
        server = Server(site)
        lookout = Lookout(server)
    }

    /// Makes a directory and those above it where they are missing, also while others do the same.
    func makeDirectories(_ path: RemotePath) async throws {
        if directories.isKnown(path) { return }
        try await directories.ensure(path) { [self] in try await make(path) }
    }

    private func make(_ path: RemotePath) async throws {
        if let found = try await server.look(path) {
            if found.kind == .directory { return }
            throw BackendFailure(.exists, "\(path.shown) is there and is not a directory")
        }
        if !path.isRoot { try await makeDirectories(path.parent) }
        try await makeOne(path)
    }

    /// Sends commands that change what stands at these paths. What was known of them does not count any more, whatever came
    /// of it: where the connection is lost nobody knows.
    func change(_ commands: [String], of paths: RemotePath...) async throws -> [FTPReply] {
        defer { lookout.changed(paths) }
        return try await server.change(commands)
    }

    /// Makes one directory; that somebody else has just made it is fine.
    func makeOne(_ path: RemotePath) async throws {
        let reply = try await change(["MKD \(path.absolute)"], of: path)[0]
        if reply.isSuccess { return }
        let failure = ReplyTable.failure(reply, "cannot make \(path.shown)")
        if failure.errorClass == .exists, try await server.look(path)?.kind == .directory { return }
        throw failure
    }
}

/// Directories that are known to be there, so that a thousand files below one ask for it once, and the making of one
/// that is missing is shared by all who need it at the same moment.
actor Directories {
    private static let most = 10_000

    private let known = Mutex(Set<RemotePath>())
    private var making: [RemotePath: Task<Void, any Error>] = [:]

    nonisolated func isKnown(_ path: RemotePath) -> Bool { known.withLock { $0.contains(path) } }

    func ensure(_ path: RemotePath, _ make: @escaping @Sendable () async throws -> Void) async throws {
        if isKnown(path) { return }
        // Not of one element's task: its cancellation must not fail its neighbours.
        let task = making[path] ?? Task { try await make() }
        making[path] = task
        do {
            try await Abandonable.run { try await task.value }
        } catch {
            if !Task.isCancelled { making[path] = nil }
            throw error
        }
        making[path] = nil
        known.withLock { known in
            if known.count >= Self.most { known = [] }
            known.insert(path)
        }
    }

    /// What was known is not true any more: somebody removed something.
    nonisolated func forget() { known.withLock { $0 = [] } }
}
