import Foundation
import HaulProtocol
import Support

/// The real `haul-worker` as a process, and its files.
final class WorkerProgram: Sendable {
    let folder: String
    let child: Child

    private init(folder: String, child: Child) {
        self.folder = folder
        self.child = child
    }

    /// Its log, and what it complained of.
    var log: String { (try? String(contentsOfFile: folder + "/log", encoding: .utf8)) ?? "" }
    var backends: [Int32] { Processes.working(in: folder + "/work") }

    /// Starts it.
    /// - Parameters:
    ///   - more: further lines of the configuration.
    ///   - tokenMode: of the token's file.
    static func start(_ server: TestServer, _ more: String = "", tokenMode: Int = 0o600) async throws -> WorkerProgram {
        try await start(
            config: """
                {
                    url: "\(server.url)", token_file: "token", name: "p", protocols_dir: "\(Built.repository)/protocols",
                    work_dir: "work",
                    \(more)
                }
                """, tokenMode: tokenMode)
    }

    static func start(config: String, tokenMode: Int = 0o600) async throws -> WorkerProgram {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/hwp-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("worker-token\n".utf8).write(to: URL(filePath: folder + "/token"))
        try FileManager.default.setAttributes([.posixPermissions: tokenMode], ofItemAtPath: folder + "/token")
        try Data(config.utf8).write(to: URL(filePath: folder + "/worker.json5"))
        let child = try await Child.start(
            Command(
                executable: Built.executable("haul-worker"), arguments: ["--config", folder + "/worker.json5"],
                output: .null, errors: .append(path: folder + "/log"), newGroup: true))
        return WorkerProgram(folder: folder, child: child)
    }

    /// The lines that it complained with.
    var complaints: [String] { log.split(separator: "\n").filter { $0.hasPrefix("haul-worker: ") }.map(String.init) }

    /// As a shell would have it; -1 where it did not end in time.
    func code(within limit: Duration = .seconds(30)) async -> Int { await child.wait(atMost: limit)?.code ?? -1 }

    /// Ends it and removes what it left.
    func close() async {
        await child.stop(grace: .seconds(20))
        try? FileManager.default.removeItem(atPath: folder)
    }
}
