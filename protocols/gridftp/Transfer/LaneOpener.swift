import HaulModel
import HaulProtocol

/// Two servers that do not copy from one to the other: one of them does not know how, or may not.
struct NoDirectWay: Error {
    let failure: BackendFailure
}

/// Makes lanes between two sites.
actor LaneOpener {
    private let source: RemoteSite
    private let target: RemoteSite
    /// `DCAU` for both, once known.
    private var security: Task<(source: String?, target: String?), any Error>?

    init(_ source: RemoteSite, _ target: RemoteSite) {
        self.source = source
        self.target = target
    }

    /// - Parameter streams: Parallel data connections.
    /// - Throws: ``NoDirectWay`` where a server refuses for good what no other transfer asks of it.
    func open(streams: Int) async throws -> Lane {
        let security = try await protection()
        async let sending = source.server.exclusive()
        async let receiving = target.server.exclusive()
        let (from, to) = try await (sending, receiving)
        do {
            var commands = ["MODE E"] + (security.source.map { [$0] } ?? [])
            if streams > 1 { commands.append("OPTS RETR Parallelism=\(streams),\(streams),\(streams);") }
            try await Self.expect(commands, from, source)
            try await Self.expect(["MODE E"] + (security.target.map { [$0] } ?? []), to, target)
            let place = try await DataTransfer.passive(to, "\(target.server.site.address)", at: target.server.site)
            guard let port = DataNodes.port(place) else {
                throw NoDirectWay(
                    failure: .init(
                        .invalid, "\(target.server.site.address) is at \(place), where no other server can be sent"))
            }
            try await Self.expect([port], from, source)
            return Lane(source: from, target: to)
        } catch {
            from.close()
            to.close()
            if let lost = error as? ControlConnection.Lost { throw lost.failure }
            throw error
        }
    }

    private static func expect(_ commands: [String], _ connection: ControlConnection, _ site: RemoteSite) async throws {
        for (command, reply) in zip(commands, try await connection.perform(commands)) where !reply.isSuccess {
            let failure = ReplyTable.failure(reply, "\(site.server.site.address): \(command)")
            throw reply.code >= 500 ? NoDirectWay(failure: failure) : failure
        }
    }

    /// How the two servers know each other on the data connection. Each has a delegated proxy; of one identity they
    /// know each other by themselves (`DCAU A`, what both begin with), of two each is told whom to expect.
    private func protection() async throws -> (source: String?, target: String?) {
        let task =
            security
            ?? Task { [source = source.server.site, target = target.server.site] in
                let (one, other) = try await (source.identity(), target.identity())
                switch (one, other) {
                case (nil, nil): return (nil, nil)
                case (_?, nil): return ("DCAU N", nil)
                case (nil, _?): return (nil, "DCAU N")
                case (let one?, let other?) where one == other: return (nil, nil)
                case (let one?, let other?): return ("DCAU S \(other)", "DCAU S \(one)")
                }
            }
        security = task
        return try await Abandonable.run { try await task.value }
    }
}
