import Foundation
import HaulModel
import HaulProtocol
import Synchronization

/// A site's server as the elements of a batch share it: control connections that many ask on at a time, and some that
/// belong to one transfer while that runs.
actor Server {
    /// Connections for what is asked and changed: a server works on one command of each at a time.
    private static let sharedConnections = 2
    private static let busy = 48
    /// Idle connections that are kept for the next transfer.
    private static let mostIdle = 8
    /// How long after a connection could not be made the next asker is told the same.
    private static let memory = Duration.seconds(2)

    private struct Shared {
        var connection: ControlConnection?
        var dialing: Task<ControlConnection, any Error>?
    }

    nonisolated let site: GridFTPSite
    private var shared = [Shared](repeating: Shared(), count: sharedConnections)
    private var idle: [ControlConnection] = []
    /// Those that carry listings, and nothing else: names stand in their replies as they are.
    private var listers: [ControlConnection] = []
    private var found: ServerFeatures? { didSet { known.withLock { $0 = found } } }
    /// The same, for all who only want to know.
    private nonisolated let known = Mutex<ServerFeatures?>(nil)
    private var looking: Task<ServerFeatures, any Error>?
    private var failure: (BackendFailure, ContinuousClock.Instant)?
    private var isClosed = false

    init(_ site: GridFTPSite) { self.site = site }

    /// What the server can; connects where nobody has.
    nonisolated func features() async throws -> ServerFeatures {
        if let known = known.withLock({ $0 }) { return known }
        return try await discovered()
    }

    private func discovered() async throws -> ServerFeatures {
        if let found { return found }
        let task = looking ?? Task { try await self.discover() }
        looking = task
        return try await Abandonable.run { try await task.value }
    }

    /// - Throws: ``BackendFailure`` (`invalid`) also where the server would take another name for it.
    nonisolated func path(_ text: String) async throws -> RemotePath {
        let features = try await features()
        let path = try RemotePath(text, home: features.home)
        if features.dropsUnicode, path.absolute.utf8.contains(where: { $0 >= 0x80 }) {
            throw BackendFailure(
                .invalid,
                "\(path.shown): without GSI \(site.address) drops every byte that is not ASCII from what it is told, so "
                    + "this name would mean another; give the site an x509-proxy")
        }
        return path
    }

    /// Asks what may be asked twice: once more where a connection that had been idle turns out to be closed.
    func ask(_ commands: [String], patience: Duration = .seconds(60)) async throws -> [FTPReply] {
        do {
            return try await sharedConnection().perform(commands, patience: patience)
        } catch let lost as ControlConnection.Lost where lost.hadAnswered && lost.failure.errorClass == .connect {
            do {
                return try await sharedConnection().perform(commands, patience: patience)
            } catch let lost as ControlConnection.Lost { throw lost.failure }
        } catch let lost as ControlConnection.Lost { throw lost.failure }
    }

    func ask(_ command: String) async throws -> FTPReply { try await ask([command])[0] }

    /// Runs commands that change something: never twice.
    func change(_ commands: [String]) async throws -> [FTPReply] {
        do {
            return try await sharedConnection().perform(commands)
        } catch let lost as ControlConnection.Lost { throw lost.failure }
    }

    /// A connection of one's own, to be given back with ``giveBack(_:)`` or closed.
    func exclusive() async throws -> ControlConnection {
        while let connection = idle.popLast() {
            if !connection.isLost { return connection }
        }
        return try await Abandonable.run { [self] in
            try await dial()
        } late: {
            $0.close()
        }
    }

    /// Only where every command has its reply.
    func giveBack(_ connection: ControlConnection) {
        if isClosed || idle.count >= Self.mostIdle { return connection.close() }
        idle.append(connection)
    }

    /// A connection for listings in replies (MLSC), to be given back with ``keep(lister:)`` or closed.
    func lister() async throws -> ControlConnection {
        while let connection = listers.popLast() {
            if !connection.isLost { return connection }
        }
        return try await Abandonable.run { [self] in
            try await dial()
        } late: {
            $0.close()
        }
    }

    /// Only where every reply is known to be the one to its command (``Echo``).
    func keep(lister: ControlConnection) {
        if isClosed || listers.count >= Self.mostIdle { return lister.close() }
        listers.append(lister)
    }

    func close() {
        isClosed = true
        for connection in idle + listers + shared.compactMap(\.connection) { connection.close() }
        idle = []
        listers = []
        shared = shared.map { _ in Shared() }
    }

    private func sharedConnection() async throws -> ControlConnection {
        var index = 0
        // The second one is for when the first has much to do: with GSI each costs a login.
        if let first = shared[0].connection, first.waiting > Self.busy { index = 1 }
        if let connection = shared[index].connection {
            if !connection.isLost { return connection }
            if shared[index].connection === connection { shared[index].connection = nil }
        }
        let task = shared[index].dialing ?? Task { try await self.dial() }
        shared[index].dialing = task
        do {
            let connection = try await Abandonable.run { try await task.value }
            if shared[index].dialing == task {
                shared[index] = Shared(connection: connection, dialing: nil)
            }
            return connection
        } catch {
            if !Task.isCancelled, shared[index].dialing == task { shared[index].dialing = nil }
            throw error
        }
    }

    /// Several elements that find a server gone do not each try it out.
    private func dial() async throws -> ControlConnection {
        if let (failure, time) = failure, ContinuousClock.now - time < Self.memory { throw failure }
        do {
            let (connection, features) = try await Login(site: site).connect(looks: found == nil)
            if let features { found = features }
            failure = nil
            return connection
        } catch let error as BackendFailure {
            failure = (error, .now)
            throw error
        }
    }

    private func discover() async throws -> ServerFeatures {
        defer { looking = nil }
        _ = try await sharedConnection()
        guard let found else { throw BackendFailure(.backend, "the server's features are not known") }
        return found
    }
}
