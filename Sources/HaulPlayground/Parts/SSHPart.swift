import Foundation
import HaulProtocol

/// sshd with SFTP over a folder, which is also what `~` means there. One login: whoever started the stack.
struct SSHPart: Sendable {
    let name: String
    let port: Int
    let folder: StackFolder
    /// The keys of both servers' one login.
    let loginKey: String
    /// For the SFTP server, as sftp-server(8) has them.
    var sftpArguments = ""

    /// The server's public key, as a site pins it.
    var hostKey: String {
        get throws {
            let line = try String(contentsOfFile: keyFile + ".pub", encoding: .utf8)
            return line.split(separator: " ").prefix(2).joined(separator: " ")
        }
    }

    private var keyFile: String { "\(folder.secrets)/\(name)-host-key" }

    /// Writes its configuration, makes its key where there is none.
    func prepare(environment: [String: String]) async throws -> PartCommand {
        let executable = try WebServer.tool("sshd", package: "openssh-server")
        try folder.make(folder.site(name), mode: 0o755)
        try folder.make(folder.part(name), mode: 0o700)
        try await SSHKey.make(keyFile)
        // Debian's sshd wants it where it runs as root; its service would make it.
        if getuid() == 0 { mkdir("/run/sshd", 0o755) }
        let file = folder.part(name) + "/sshd_config"
        try StackFolder.write(configuration, to: file)
        return PartCommand(
            name: name, argv: [executable, "-D", "-e", "-f", file], cwd: folder.path, env: environment,
            log: folder.log(name))
    }

    private var configuration: String {
        let root = folder.site(name)
        // internal-sftp takes no path with a blank; `~` is the login's own home then.
        let start = root.contains(" ") ? "" : " -d \(root.replacing("%", with: "%%"))"
        return """
            ListenAddress 127.0.0.1:\(port)
            HostKey "\(keyFile)"
            PidFile none
            AuthorizedKeysFile "\(loginKey.replacing("%", with: "%%")).pub"
            StrictModes no
            PermitRootLogin prohibit-password
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            UsePAM no
            MaxStartups 1000
            MaxSessions 1000
            Subsystem sftp internal-sftp\(start)\(sftpArguments.isEmpty ? "" : " " + sftpArguments)

            """
    }
}

/// Keys made by ssh-keygen.
enum SSHKey {
    /// An ed25519 key without a passphrase, in a private file; one that is there stays.
    static func make(_ file: String) async throws {
        guard !FileManager.default.fileExists(atPath: file) else { return }
        let tool = try WebServer.tool("ssh-keygen", package: "openssh-client")
        let said = try await Tool.run([tool, "-q", "-t", "ed25519", "-N", "", "-C", "haul-playground", "-f", file])
        guard said.status.isSuccess else { throw StackError("ssh-keygen \(said.status): \(said.errors)") }
    }
}
