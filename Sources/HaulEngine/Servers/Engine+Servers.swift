import HaulModel
import HaulStore

// What grows of a running attempt - log, listing - is on the server that its row names: the one that took the first piece.
// What arrives elsewhere is handed on to it. Once that server is gone, whoever is asked next takes the attempt over.
extension Engine {
    /// The server that takes what a running attempt sends: this one, unless another does already. Durable.
    ///
    /// - Throws: `.conflict` once the attempt has ended.
    func holder(of lease: Lease) async throws -> Int {
        if let server = lease.attempt.server { return server }
        let own = identity.id
        return try await store.write { writer in
            if try writer.setServer(own, of: lease.id, from: nil) { return own }
            guard let attempt = try writer.reader.attempt(lease.id), attempt.ended == nil, let server = attempt.server
            else { throw EngineError.leaseEnded }
            return server
        }
    }

    /// Asks the server that holds what these attempts sent, unless it gave no answer a moment ago. Where it is gone, this
    /// one takes its place.
    ///
    /// - Returns: its answer; nil where the attempts are this server's from now on.
    /// - Throws: `.unavailable` while the other can't be reached, but may come back.
    func asking<T>(
        _ holder: Int, about attempts: [AttemptID], _ ask: (KnownServer) async throws -> T
    ) async throws -> T? {
        if let server = try await store.read({ try $0.server(holder) }) {
            do {
                try silentServers.check(server, now: world.now())
                do { return try await ask(server) } catch let error as ServerUnreachable {
                    silentServers.note(server, now: world.now())
                    throw error
                }
            } catch let error as ServerUnreachable {
                guard world.now().seconds(since: server.seen) > configuration.serverSilenceSeconds else {
                    throw EngineError.serverAway(cause: "server \(holder) at \(server.url): \(error)")
                }
            }
        }
        let own = identity.id
        let isTaken = try await store.write { writer in
            // One that has ended meanwhile is found to have when it is looked at.
            try attempts.allSatisfy { id in
                if try writer.setServer(own, of: id, from: holder) { return true }
                guard let attempt = try writer.reader.attempt(id) else { return true }
                return attempt.ended != nil || attempt.server == own
            }
        }
        guard isTaken else { throw EngineError.serverAway(cause: "another server took over from server \(holder)") }
        return nil
    }

    /// What another server asks for has to be this one's.
    ///
    /// - Throws: `.unavailable` where the attempt's row names another: whoever asked shall look again.
    func checkIsOwn(_ lease: Lease) throws(EngineError) {
        if let server = lease.attempt.server, server != identity.id {
            throw .serverAway(cause: "\(lease.id) is with server \(server)")
        }
    }
}

extension EngineError {
    static func serverAway(cause: String) -> EngineError {
        EngineError(
            .unavailable, code: "server_away",
            detail: "The server that has what this attempt sent before can't be reached; nothing was done.",
            hint: "Send it again in a while: it comes back, or another takes its place.", cause: cause)
    }
}
