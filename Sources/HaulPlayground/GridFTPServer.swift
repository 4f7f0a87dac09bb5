import Foundation
import HaulProtocol

/// globus-gridftp-server that runs for the tests: on a free port of the loopback interface, and no longer than this
/// process.
public final class GridFTPServer: Sendable {
    /// `localhost:PORT`, the name that the host certificate has; of one at IPv6 `[::1]:PORT`.
    public let endpoint: String
    public let port: Int
    /// The folder with its log; goes with ``stop()``.
    public let folder: String
    private let child: Child

    /// A server where everybody is `anonymous`.
    /// - Parameter arguments: More of globus-gridftp-server(8), such as `-connections-max 3`.
    public static func anonymous(_ arguments: [String] = [], isIPv6: Bool = false) async throws -> GridFTPServer {
        let account = getuid() == 0 ? ["-anonymous-user", "root", "-allow-root"] : []
        return try await start(["-aa"] + account + arguments, [:], isIPv6: isIPv6)
    }

    /// A server that takes the proxies of a grid: every user of its map is the account of this process.
    public static func gsi(_ grid: Grid, _ arguments: [String] = []) async throws -> GridFTPServer {
        let account = getuid() == 0 ? ["-allow-root"] : []
        return try await start(account + arguments, grid.serverEnvironment)
    }

    private static func start(
        _ arguments: [String], _ environment: [String: String], isIPv6: Bool = false
    ) async throws -> GridFTPServer {
        let host = isIPv6 ? "::1" : "127.0.0.1"
        let executable = try WebServer.tool("globus-gridftp-server", package: "globus-gridftp-server-progs")
        var last = WebServer.Failure(description: "no free port")
        for _ in 0..<5 {
            // The port may be taken by another between the question and the answer.
            let port = try Loopback.freePort()
            let folder = try StackFolder.temporary("haul-gridftp")
            let log = folder + "/server.log"
            let usual = [
                "-p", "\(port)", "-control-interface", host, "-data-interface", host, "-no-chdir",
                "-log-level", "ERROR,WARN", "-logfile", log,
            ]
            var variables = Environment.allowed
            variables.merge(environment) { $1 }
            variables["GLOBUS_HOSTNAME"] = "localhost"
            let child = try await Child.start(
                Command(
                    executable: executable, arguments: usual + arguments, environment: variables,
                    output: .append(path: folder + "/output"), errors: .append(path: folder + "/output"), newGroup: true
                ))
            if await WebServer.answers(port, child, isIPv6: isIPv6) {
                return GridFTPServer(port: port, isIPv6: isIPv6, folder: folder, child: child)
            }
            await child.stop()
            let said = (try? String(contentsOfFile: folder + "/output", encoding: .utf8)) ?? ""
            last = WebServer.Failure(description: "globus-gridftp-server did not start: \(said.suffix(2_000))")
            try? FileManager.default.removeItem(atPath: folder)
        }
        throw last
    }

    private init(port: Int, isIPv6: Bool, folder: String, child: Child) {
        self.port = port
        endpoint = (isIPv6 ? "[::1]" : "localhost") + ":\(port)"
        self.folder = folder
        self.child = child
    }

    /// Ends it at once, with the processes that serve its connections, as a machine that goes down would.
    public func kill() async {
        killNow()
        _ = await child.wait()
    }

    /// The same without waiting until it is gone.
    public func killNow() { child.signal(SIGKILL) }

    /// Stops every process of it where it is: connections stay open, and nobody answers any more.
    public func freeze() { child.signal(SIGSTOP) }

    public func thaw() { child.signal(SIGCONT) }

    /// Ends the server and removes its folder.
    public func stop() async {
        child.signal(SIGCONT)
        await child.stop(grace: .seconds(2))
        try? FileManager.default.removeItem(atPath: folder)
    }
}
