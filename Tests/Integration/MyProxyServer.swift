import Foundation
import HaulPlayground
import HaulProtocol
import Support

/// A real MyProxy server with a credential of alice's in it.
final class MyProxyServer: Sendable {
    let grid: Grid
    /// `localhost:PORT`.
    let endpoint: String
    private let folder: Folder
    private let pid: Int32

    /// - Parameter passphrase: opens alice's.
    static func start(passphrase: String) async throws -> MyProxyServer {
        let grid = try await Grid.make()
        let folder = try Folder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/store", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let rules = ["accepted_credentials", "authorized_retrievers", "default_retrievers"].map { "\($0) \"*\"\n" }
        try rules.joined().write(toFile: folder.path + "/rules", atomically: true, encoding: .utf8)
        let host = [
            "X509_CERT_DIR": grid.authorities, "X509_USER_CERT": grid.folder + "/host.pem",
            "X509_USER_KEY": grid.folder + "/host.key",
        ]
        // It goes on in a process of its own, which it names.
        try await run(
            "myproxy-server",
            [
                "-c", folder.path + "/rules", "-s", folder.path + "/store", "-p", "0", "-l", "localhost", "-z",
                folder.path + "/port", "-P", folder.path + "/pid",
            ], host)
        @Sendable func number(_ name: String) throws -> Int32 {
            let text = (try? String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)) ?? ""
            guard let number = Int32(text.filter(\.isNumber)) else { throw Failure(what: "no \(name): \(text)") }
            return number
        }
        try await eventually("the MyProxy server listens") {
            (try? number("port")) != nil && (try? number("pid")) != nil
        }
        let server = MyProxyServer(grid, "localhost:\(try number("port"))", folder, try number("pid"))
        let alice = grid.folder + "/alice"
        try await run(
            "myproxy-init",
            [
                "-S", "-s", "localhost", "-p", "\(try number("port"))", "-l", "alice", "-c", "10", "-C",
                alice + ".pem",
                "-y", alice + ".key",
            ], ["X509_CERT_DIR": grid.authorities, "X509_USER_CERT": alice + ".pem", "X509_USER_KEY": alice + ".key"],
            input: passphrase + "\n")
        return server
    }

    private init(_ grid: Grid, _ endpoint: String, _ folder: Folder, _ pid: Int32) {
        self.grid = grid
        self.endpoint = endpoint
        self.folder = folder
        self.pid = pid
    }

    deinit { kill(pid, SIGTERM) }

    /// Returns once nobody listens any more.
    func stop() async throws {
        kill(pid, SIGTERM)
        try await eventually("the MyProxy server is gone") { kill(pid, 0) != 0 }
    }

    private struct Failure: Error { var what: String }

    private static func run(
        _ name: String, _ arguments: [String], _ more: [String: String], input: String = ""
    ) async throws {
        let tool = ToolPath.find(name) ?? "/usr/sbin/" + name
        let run = try await ProgramRun(executable: tool, arguments, input: input, environment: more)
        guard run.code == 0 else { throw Failure(what: "\(name) \(run.code): \(run.output) \(run.errors)") }
    }
}
