import HaulModel
import HaulProtocol

/// Makes a control connection ready for commands.
struct Login: Sendable {
    /// What of the facts of a file is asked for.
    private static let facts = "OPTS MLST Type;Size;Modify;UNIX.mode;UNIX.slink;Unique;X.count;"
    private static let patience = Duration.seconds(40)

    let site: GridFTPSite

    /// - Returns: The connection, and what the server can where that was asked for.
    func connect(looks: Bool) async throws -> (ControlConnection, ServerFeatures?) {
        let connection = ControlConnection(try await site.control(), name: "\(site.address)")
        do {
            let features = try await withTaskCancellationHandler {
                try await enter(connection)
                return try await prepare(connection, looks: looks)
            } onCancel: {
                connection.close()
            }
            return (connection, features)
        } catch let lost as ControlConnection.Lost {
            try Task.checkCancellation()
            throw lost.failure
        } catch {
            connection.close()
            throw error
        }
    }

    private func enter(_ connection: ControlConnection) async throws {
        let greeting = try await connection.greeting(patience: Self.patience)
        guard greeting.isSuccess else { throw ReplyTable.failure(greeting, "\(site.address)", usual: .connect) }
        // With GSI the server takes the account from the proxy.
        let (user, word) = site.proxy == nil ? ("anonymous", "haul@localhost") : (":globus-mapping:", "dummy")
        var reply = try await connection.perform("USER \(user)", patience: Self.patience)
        if reply.code == 331 { reply = try await connection.perform("PASS \(word)", patience: Self.patience) }
        guard reply.isSuccess else {
            let hint = site.proxy == nil ? " (the site has no credential x509-proxy, so the login is anonymous)" : ""
            let failure = ReplyTable.failure(reply, "the login at \(site.address) is refused", usual: .auth)
            throw BackendFailure(
                failure.errorClass == .connect ? .connect : failure.errorClass, failure.reason + hint,
                returncode: failure.returncode)
        }
    }

    private func prepare(_ connection: ControlConnection, looks: Bool) async throws -> ServerFeatures? {
        let echo = Echo()
        let commands = ["TYPE I", Self.facts] + (looks ? ["PWD", "MLST /é/..", "FEAT", echo.command] : [])
        let replies = try await connection.perform(commands, patience: Self.patience)
        guard replies[0].isSuccess else { throw ReplyTable.failure(replies[0], "TYPE I") }
        guard looks else { return nil }
        var features = ServerFeatures(replies[4])
        guard features.listsFacts else {
            throw BackendFailure(.invalid, "\(site.address) has no MLST (RFC 3659): its files cannot be looked at")
        }
        features.echoes = echo.isAnswered(by: replies[5])
        features.home = ServerFeatures.directory(replies[2]) ?? "/"
        // Told as it was understood, or there, as only the root is: the letter did not arrive.
        features.dropsUnicode = replies[3].isSuccess && !replies[3].text.contains("é")
        return features
    }
}
