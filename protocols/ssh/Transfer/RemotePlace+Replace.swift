import Foundation
import HaulModel
import HaulProtocol

// One name for another. SFTP's own rename takes no name that is there; OpenSSH's extension does.
extension RemotePlace {
    /// How long a replacement that has begun may still take once nobody waits for it any more.
    private static let patience = Duration.seconds(3)

    /// Gives a file another name; what is there by now fails with `exists`.
    func rename(_ from: String, to path: String) async throws {
        do {
            try await client.done(.rename(from, path))
        } catch let status as SFTPStatus {
            if status.errorClass == .unknown, try await client.facts(path, follow: false) != nil {
                throw BackendFailure(.exists, "\(path) is there by now")
            }
            throw status.failure("cannot rename \(from) to \(path)")
        }
    }

    /// Puts a file in the place of another, in one step where the server can; else the old one steps aside first, and is back
    /// where the new one does not come.
    /// - Parameter aside: Where the old one stands meanwhile: a name of ours in its directory.
    func replace(_ path: String, with from: String, aside: String) async throws {
        guard client.offers(.posixRename) else { return try await exchange(path, with: from, aside: aside) }
        do {
            try await client.done(.posixRename(from, path))
        } catch let status as SFTPStatus {
            throw status.failure("cannot rename \(from) to \(path)")
        }
    }

    /// As ``replace(_:with:aside:)`` without the extension. Once it has begun, a cancel does not stop it halfway.
    func exchange(_ path: String, with from: String, aside: String) async throws {
        try Task.checkCancellation()
        let work = Task { try await swap(path, from, aside) }
        do {
            try await Abandonable.run { try await work.value }
        } catch is CancellationError {
            do {
                try await Task { try await Abandonable.run(limit: Self.patience) { try await work.value } }.value
            } catch is Abandonable.Late {
                throw CancellationError()
            }
        }
    }

    /// Undoes or ends what an earlier attempt had begun when it was cut off.
    /// - Parameter isDone: Asked where there is a file under both names: whether the new one came.
    /// - Returns: True where the old file had to be put back.
    func goBack(_ path: String, from aside: String, isDone: () async throws -> Bool) async throws -> Bool {
        guard let old = try await facts(aside, follow: false), [.file, .link].contains(old.kind) else { return false }
        if try await facts(path, follow: false) == nil {
            try await rename(aside, to: path)
            return true
        }
        if try await isDone() { try await discard(aside) }
        return false
    }

    private func swap(_ path: String, _ from: String, _ aside: String) async throws {
        do {
            try await stepAside(path, aside)
        } catch let failure as BackendFailure where failure.errorClass == .notFound {
            // Removed since the look at it: nothing is in the way.
            return try await rename(from, to: path)
        }
        do {
            try await rename(from, to: path)
        } catch {
            try await surely { place in try await place.putBack(path, aside) }
            throw error
        }
        try await surely { place in try await place.discard(aside) }
    }

    private func stepAside(_ path: String, _ aside: String) async throws {
        do {
            try await rename(path, to: aside)
        } catch let failure as BackendFailure where failure.errorClass == .exists {
            // Of an attempt that was cut off: what it made way for is there.
            try await discard(aside)
            try await rename(path, to: aside)
        }
    }

    private func putBack(_ path: String, _ aside: String) async throws {
        do {
            if try await facts(path, follow: false) == nil { return try await rename(aside, to: path) }
            // Somebody else's, or the new one: the connection broke before that was told.
            try await discard(aside)
        } catch let failure as BackendFailure {
            let rescue = "what was \(path) stands as \(aside): rename it"
            throw BackendFailure(failure.errorClass, "\(failure.reason); \(rescue)")
        }
    }

    /// Over another connection where this one is lost.
    private func surely(_ body: @Sendable (RemotePlace) async throws -> Void) async throws {
        do {
            if !client.isLost { return try await body(self) }
        } catch let loss as SFTPLoss {
            if !client.isLost { throw loss }
        }
        try await pool.use { try await body(RemotePlace(client: $0, home: home, pool: pool)) }
    }
}
