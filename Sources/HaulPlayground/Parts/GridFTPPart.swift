import Foundation
import HaulProtocol

/// globus-gridftp-server over this machine's disk: everybody is anonymous, with the rights of whoever started the stack.
struct GridFTPPart: Sendable {
    let name: String
    let port: Int
    let folder: StackFolder

    func prepare(environment: [String: String]) throws -> PartCommand {
        let executable = try WebServer.tool("globus-gridftp-server", package: "globus-gridftp-server-progs")
        try folder.make(folder.site(name), mode: 0o755)
        try folder.make(folder.part(name), mode: 0o700)
        var environment = environment
        environment["GLOBUS_HOSTNAME"] = "localhost"
        let account = getuid() == 0 ? ["-anonymous-user", "root", "-allow-root"] : []
        return PartCommand(
            name: name,
            argv: [
                executable, "-aa", "-control-interface", "127.0.0.1", "-data-interface", "127.0.0.1",
                "-no-chdir", "-log-level", "ERROR,WARN", "-logfile", folder.part(name) + "/server.log",
            ] + account + ["-p", String(port)], cwd: folder.path, env: environment, log: folder.log(name))
    }
}
