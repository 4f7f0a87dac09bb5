import Foundation
import HaulProtocol

/// A web server that runs for the playground, the demo and the tests: on a free port of the loopback interface, from
/// a configuration of its own in a temporary folder, and no longer than this process.
public final class WebServer: Sendable {
    /// Why a server does not run: what is missing, or what it said.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// `127.0.0.1:PORT`.
    public let endpoint: String
    /// The folder with its configuration and logs; goes with ``stop()``.
    public let folder: String
    private let child: Child

    /// Stays with the server as long as that runs: at the end of its standard input, which is this process's end
    /// however that came, it ends the group. The kernel's own signal would reach the first process alone, and the
    /// children of apache outlive theirs.
    private static let script = """
        umask 0
        exec 3<&0
        (read -r _ <&3; kill -KILL 0) >/dev/null 2>&1 &
        exec 3<&-
        exec "$@" </dev/null
        """

    /// Starts a server.
    /// - Parameters:
    ///   - port: Where it listens; nil: on a free one.
    ///   - command: The executable and its arguments, for a server in the foreground that has this configuration.
    ///   - configuration: The text of `FOLDER/server.conf`, for a port and a folder.
    static func start(
        port wanted: Int? = nil, command: (_ folder: String) -> [String],
        configuration: (_ port: Int, _ folder: String) -> String
    ) async throws -> WebServer {
        // The port may be taken by another between the question and the answer.
        var last = Failure(description: "no free port")
        for _ in 0..<5 {
            let port = try wanted ?? Loopback.freePort()
            let folder = try makeFolder()
            do {
                try Data(configuration(port, folder).utf8).write(to: URL(fileURLWithPath: folder + "/server.conf"))
                let command = Command(
                    executable: "/bin/sh", arguments: ["-c", script, "sh"] + command(folder), input: .pipe,
                    output: .append(path: folder + "/output"), errors: .append(path: folder + "/output"),
                    newGroup: true)
                let child = try await Child.start(command)
                if await answers(port, child) {
                    return WebServer(endpoint: "127.0.0.1:\(port)", folder: folder, child: child)
                }
                await child.stop()
                let said = ["output", "error.log"].compactMap {
                    try? String(contentsOfFile: folder + "/" + $0, encoding: .utf8)
                }
                last = Failure(description: "the server did not start: \(said.joined(separator: "\n").suffix(2_000))")
                try? FileManager.default.removeItem(atPath: folder)
            } catch {
                try? FileManager.default.removeItem(atPath: folder)
                throw error
            }
        }
        throw last
    }

    private init(endpoint: String, folder: String, child: Child) {
        self.endpoint = endpoint
        self.folder = folder
        self.child = child
    }

    /// The process that leads the server's group.
    public var pid: Int32 { child.pid }

    /// Ends the server and removes its folder.
    public func stop() async {
        await child.stop(grace: .seconds(3))
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// The executable of that name, also where only root's `PATH` has it.
    static func tool(_ name: String, package: String) throws -> String {
        let path = (Environment.allowed["PATH"] ?? "") + ":/usr/sbin:/sbin"
        guard let found = ToolPath.find(name, path: path) else {
            throw Failure(description: "\(name) is not installed: apt-get install \(package)")
        }
        return found
    }

    /// A folder that the server's own user can reach.
    private static func makeFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "haul-web-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        return folder
    }

    /// Waits until something listens on a port, or the process that should has ended.
    static func answers(_ port: Int, _ child: Child, isIPv6: Bool = false) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline, child.status == nil {
            if Loopback.accepts(port, isIPv6: isIPv6) { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}
