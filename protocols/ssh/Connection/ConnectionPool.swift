import Foundation
import HaulModel
import HaulProtocol

/// A site's connections for the length of a batch: one, and up to ``most`` where several large files move at a time.
/// A connection that died is replaced for whoever comes next, a bounded number of times.
actor ConnectionPool {
    /// Four connections give most of what eight give.
    static let most = 4
    /// Connections that may be lost, or not come about, before the batch gives up.
    private static let mostLosses = 8

    private struct Member {
        var client: SFTPClient
        var users = 0
        var large = 0
    }

    private let site: SSHSite
    private let knownHosts: String
    private let executable: String
    private var members: [Member] = []
    private var opening: Task<SFTPClient, any Error>?
    private var losses = 0
    /// Why no further connection is tried.
    private var verdict: BackendFailure?
    private var home: String?

    init(_ site: SSHSite, knownHosts: String, executable: String) {
        self.site = site
        self.knownHosts = knownHosts
        self.executable = executable
    }

    /// Runs an operation with a connection.
    /// - Parameter large: Moves so much that it is worth a connection of its own.
    /// - Throws: ``BackendFailure`` where none can be had.
    func use<Value: Sendable>(
        large: Bool = false, _ body: @Sendable (SFTPClient) async throws -> Value
    ) async throws -> Value {
        let client = try await lease(large: large)
        defer { giveBack(client, large: large) }
        return try await body(client)
    }

    /// The login's home directory: where `~` and relative paths start.
    func home(_ client: SFTPClient) async throws -> String {
        if let home { return home }
        do {
            let found = try await client.realpath(".")
            home = found
            return found
        } catch let status as SFTPStatus {
            throw status.failure("cannot find the home directory")
        }
    }

    func close() {
        verdict = verdict ?? BackendFailure(.interrupted, "the batch is over")
        members.forEach { $0.client.close() }
        members = []
    }

    private func lease(large: Bool) async throws -> SFTPClient {
        while true {
            try Task.checkCancellation()
            dropLost()
            if let free = best(large: large) {
                members[free].users += 1
                members[free].large += large ? 1 : 0
                return members[free].client
            }
            if let verdict { throw verdict }
            let task = opening ?? connect()
            do {
                // Its maker, or the first to see it, adds it; all others find it.
                _ = try await Abandonable.run { try await task.value }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                if members.isEmpty { throw error }
            }
        }
    }

    /// The least used connection; nil where a new one is wanted.
    private func best(large: Bool) -> Int? {
        guard let index = members.indices.min(by: { weight(members[$0]) < weight(members[$1]) }) else { return nil }
        let isFull = members.count >= Self.most || opening != nil || verdict != nil || losses > 0
        return large && members[index].large > 0 && !isFull ? nil : index
    }

    private func weight(_ member: Member) -> Int { member.large * 1000 + member.users }

    private func connect() -> Task<SFTPClient, any Error> {
        let task = Task { try await self.connectAnywhere() }
        opening = task
        return task
    }

    private func connectAnywhere() async throws -> SFTPClient {
        defer { opening = nil }
        var last = BackendFailure(.connect, "no endpoint")
        for endpoint in site.endpoints {
            do {
                let client = try await Connection.client(
                    site, endpoint: endpoint, knownHosts: knownHosts, executable: executable)
                members.append(Member(client: client))
                return client
            } catch let failure as BackendFailure {
                last = failure
                if failure.errorClass != .connect { break }
            }
        }
        losses += 1
        // A key that is refused once is refused again, and servers lock out who keeps knocking.
        if last.errorClass.isPermanent || losses >= Self.mostLosses { verdict = last }
        throw last
    }

    private func giveBack(_ client: SFTPClient, large: Bool) {
        guard let index = members.firstIndex(where: { $0.client === client }) else { return }
        members[index].users -= 1
        members[index].large -= large ? 1 : 0
    }

    private func dropLost() {
        let lost = members.count { $0.client.isLost }
        guard lost > 0 else { return }
        losses += lost
        members.removeAll { $0.client.isLost }
        if losses >= Self.mostLosses, verdict == nil {
            verdict = BackendFailure(.connect, "\(site.name): \(losses) connections of this batch were lost")
        }
    }
}
