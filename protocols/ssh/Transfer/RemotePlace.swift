import Foundation
import HaulModel
import HaulProtocol

/// Paths of a site, over one of its connections.
struct RemotePlace: Sendable {
    let client: SFTPClient
    let home: String
    /// For what has to be done even after ``client`` was lost.
    let pool: ConnectionPool

    /// The path as the server takes it: `~` and what is relative stand below the home.
    static func absolute(_ path: String, home: String) -> String {
        if path.utf8.first == UInt8(ascii: "/") { return path }
        let below = path == "~" ? "" : path.hasPrefix("~/") ? String(path.dropFirst(2)) : path
        return below.isEmpty ? home : ListingPath.child(home, below)
    }

    func absolute(_ path: String) -> String { Self.absolute(path, home: home) }

    /// What is at a path; nil for nothing.
    func facts(_ path: String, follow: Bool) async throws -> FileFacts? {
        try await client.facts(path, follow: follow)
    }

    func openForReading(_ path: String) async throws -> Data {
        do {
            return try await client.handle(.open(path, .read, SFTPAttributes()))
        } catch let status as SFTPStatus {
            throw status.failure("cannot open \(path)")
        }
    }

    /// Opens a part file, or makes it (0600). What is in its place and is no file fails.
    func openPart(_ path: String) async throws -> RemotePart {
        let mine = SFTPAttributes(permissions: 0o600)
        do {
            // Read too: copy-data and servers that check a handle before an FSTAT want it.
            let handle = try await client.handle(.open(path, [.read, .write, .create, .exclusive], mine))
            return RemotePart(client, path: path, handle: handle, existing: 0)
        } catch let status as SFTPStatus {
            guard status.errorClass != .permission, status.errorClass != .notFound,
                let facts = try await client.facts(path, follow: false)
            else { throw await refined(status, path) }
            guard facts.kind == .file else {
                throw BackendFailure(.exists, "\(path) is in the way of the part file and is no file")
            }
        }
        do {
            let handle = try await openAgain(path, mine)
            let size = try await client.attributes(.fstat(handle)).size ?? 0
            return RemotePart(client, path: path, handle: handle, existing: Int(clamping: size))
        } catch let status as SFTPStatus {
            throw status.failure("cannot open \(path)")
        }
    }

    /// A part that was finished, and not renamed any more, has its source's permissions: maybe none to write.
    private func openAgain(_ path: String, _ mine: SFTPAttributes) async throws -> Data {
        let request = SFTPRequest.open(path, [.read, .write], SFTPAttributes())
        do {
            return try await client.handle(request)
        } catch let status as SFTPStatus where status.errorClass == .permission {
            try await client.done(.setstat(path, mine))
            return try await client.handle(request)
        }
    }

    /// Makes the directories above a path where they are missing.
    func makeParents(of path: String) async throws { try await makeDirectories(Self.parent(path)) }

    /// Makes a directory and those above it, as `mkdir -p` does.
    func makeDirectories(_ path: String) async throws {
        var missing = [path]
        while let next = missing.last {
            do {
                try await client.done(.mkdir(next, SFTPAttributes(permissions: 0o777)))
                missing.removeLast()
            } catch let status as SFTPStatus {
                // Made by a neighbour, or there from the start: also where making one is not allowed.
                if let facts = try await client.facts(next, follow: true) {
                    guard facts.kind == .directory else {
                        throw BackendFailure(.exists, "\(next) is there and is not a directory")
                    }
                    missing.removeLast()
                    continue
                }
                let parent = Self.parent(next)
                guard status.errorClass == .notFound, parent != next, !missing.contains(parent) else {
                    throw status.failure("cannot make the directory \(next)")
                }
                missing.append(parent)
            }
        }
    }

    /// Removes a file that may be gone.
    func discard(_ path: String) async throws {
        @Sendable func remove(_ client: SFTPClient) async throws {
            do {
                try await client.done(.remove(path))
            } catch let status as SFTPStatus {
                if status.errorClass != .notFound { throw status.failure("cannot remove \(path)") }
            }
        }
        if !client.isLost { return try await remove(client) }
        try await pool.use { try await remove($0) }
    }

    static func parent(_ path: String) -> String {
        let (directory, _) = ListingPath.parent(path)
        return directory
    }

    /// A part that cannot be made: a full disk is told by the directory's file system.
    private func refined(_ status: SFTPStatus, _ path: String) async -> BackendFailure {
        let failure = status.failure("cannot make \(path)")
        if failure.errorClass == .unknown, await client.freeSpace(Self.parent(path)) == 0 {
            return BackendFailure(.noSpace, "\(failure.reason); no space is left there")
        }
        return failure
    }
}
