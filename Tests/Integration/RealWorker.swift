import Foundation
import HaulProtocol
import Support

/// The real worker of a live server, and the real command line against it.
struct RealWorker {
    let server: LiveServer
    private let process: Child
    private let connection: [String]

    static func start(_ server: LiveServer) async throws -> RealWorker {
        let certificate = server.settings.certificate
        let worker = try secret(try await server.token(user: "w", role: "worker"), "worker.token", server)
        let user = try secret(try await server.token(user: "alice", role: "user"), "alice.token", server)
        let config = """
            {
                url: "\(server.url)", \(certificate.map { "ca_file: \"\($0.path)\"," } ?? "")
                name: "w", token_file: "\(worker)", protocols_dir: "\(Built.repository)/protocols", work_dir: "work",
            }
            """
        let file = "\(server.folder)/worker.json5"
        try config.write(toFile: file, atomically: true, encoding: .utf8)
        let process = try await Child.start(
            Command(
                executable: Built.executable("haul-worker"), arguments: ["--config", file], output: .null,
                errors: .append(path: server.folder + "/worker.log")))
        let trust = certificate.map { ["--ca-file", $0.path] } ?? []
        return RealWorker(
            server: server, process: process, connection: ["--url", server.url, "--token-file", user] + trust)
    }

    private static func secret(_ text: String, _ name: String, _ server: LiveServer) throws -> String {
        let path = "\(server.folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        return path
    }

    /// Where alice's token stands.
    var tokenFile: String { server.folder + "/alice.token" }

    /// Runs `haul` as alice.
    func haul(_ words: String...) async throws -> ProgramRun {
        try await ProgramRun("haul", words + connection)
    }

    /// Processes that the worker runs: the children of all its threads.
    var backends: [Int32] {
        let tasks = "/proc/\(process.pid)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return threads.flatMap { thread in
            let text = (try? String(contentsOfFile: "\(tasks)/\(thread)/children", encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { Int32($0) }
        }
    }

    func stop() async { _ = await process.stop(grace: .seconds(10)) }
}
