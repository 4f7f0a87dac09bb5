import Foundation
import HaulProtocol

/// sshd with SFTP that runs for the tests: on a free port of the loopback interface, with keys of its own in a temporary
/// folder, and no longer than this process.
public final class Sshd: Sendable {
    /// `127.0.0.1:PORT`.
    public let endpoint: String
    /// The server's public key, as a site pins it.
    public let hostKey: String
    /// The file with the login's private key.
    public let loginKey: String
    /// What the server's `~` is.
    public let root: String
    private let child: Child
    private let folder: String

    /// Starts a server.
    /// - Parameter sftpArguments: For its SFTP server, as sftp-server(8) has them: `-P posix-rename` takes an extension
    ///   away.
    public static func start(sftpArguments: String = "") async throws -> Sshd {
        var last = WebServer.Failure(description: "no free port")
        for _ in 0..<5 {
            let folder = try StackFolder.temporary("haul-sshd")
            let stack = StackFolder(folder)
            try stack.make(stack.secrets, mode: 0o700)
            try stack.make(folder + "/logs", mode: 0o700)
            let key = stack.secrets + "/login-key"
            try await SSHKey.make(key)
            // The port may be taken by another between the question and the answer.
            let part = SSHPart(
                name: "sshd", port: try Loopback.freePort(), folder: stack, loginKey: key,
                sftpArguments: sftpArguments)
            let command = try await part.prepare(environment: Environment.allowed)
            let child = try await Child.start(
                Command(
                    executable: command.argv[0], arguments: Array(command.argv.dropFirst()),
                    output: .append(path: command.log), errors: .append(path: command.log), newGroup: true))
            if await WebServer.answers(part.port, child) {
                return Sshd(
                    endpoint: "127.0.0.1:\(part.port)", hostKey: try part.hostKey, loginKey: key,
                    root: stack.site("sshd"), child: child, folder: folder)
            }
            await child.stop()
            let said = (try? String(contentsOfFile: command.log, encoding: .utf8)) ?? ""
            last = WebServer.Failure(description: "sshd did not start: \(said.suffix(2000))")
            try? FileManager.default.removeItem(atPath: folder)
        }
        throw last
    }

    private init(endpoint: String, hostKey: String, loginKey: String, root: String, child: Child, folder: String) {
        self.endpoint = endpoint
        self.hostKey = hostKey
        self.loginKey = loginKey
        self.root = root
        self.child = child
        self.folder = folder
    }

    /// Ends the server and removes its folder.
    public func stop() async {
        await child.stop(grace: .seconds(3))
        try? FileManager.default.removeItem(atPath: folder)
    }
}
