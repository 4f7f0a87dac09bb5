import Foundation
import HaulProtocol

/// apache2 with WebDAV over a folder.
struct HTTPPart: Sendable {
    let name: String
    let port: Int
    let folder: StackFolder

    /// Jobs work below this path, not at the top of the server, which a REMOVE spares.
    static let path = "/data"

    func prepare(environment: [String: String]) throws -> PartCommand {
        let executable = try WebServer.tool("apache2", package: "apache2")
        let root = folder.site(name)
        let own = folder.part(name)
        try folder.make(root, mode: 0o755)
        try folder.make(root + Self.path, mode: 0o777)
        try folder.make(own, mode: 0o755)
        try folder.make(own + "/lock", mode: 0o777)
        let file = own + "/server.conf"
        let text = Apache.configuration(port, own, root, nil, true)
        try StackFolder.write(text + "\nThreadsPerChild 64\n", to: file, mode: 0o644)
        return PartCommand(
            name: name, argv: try Self.user() + [executable, "-X", "-f", file], cwd: folder.path,
            env: environment, log: folder.log(name))
    }

    /// apache does not serve as root. As another user it could not change what root puts into the site later, so
    /// that user gets the one right to do so. Started by anyone else there is only the one user.
    private static func user() throws -> [String] {
        guard getuid() == 0 else { return [] }
        let tool = try WebServer.tool("setpriv", package: "util-linux")
        return [
            tool, "--reuid=www-data", "--regid=www-data", "--init-groups", "--inh-caps=+dac_override",
            "--ambient-caps=+dac_override",
        ]
    }
}
