import Foundation
public import HaulProtocol
import Synchronization

/// The real worker of a live server, and the real command line against it. Its files stand in the server's folder.
public final class RealWorker: Sendable {
    /// What of the configuration a test may want otherwise.
    public struct Settings: Sendable {
        public var name = "w"
        public var slots = 4
        /// Elements of one claim.
        public var claimLimit = 100
        /// Settings of protocols, in JSON5: `local: {roots: ["/data"]}`.
        public var protocols = ""
        /// Where the server is; nil is where it says.
        public var url: String?
        /// The command that starts the program, as its last arguments: `ip netns exec NAME` and the like.
        public var launcher: [String] = []
        /// The token that it shows; nil is a new one of haul's.
        public var token: String?
        /// The certificate that it shows, instead of a token.
        public var certificate: CertificateAuthority.Issued?
        /// Who uses the command line; nil is nobody.
        public var user: String? = "alice"

        public init() {}
    }

    public let server: LiveServer
    public let settings: Settings
    private let state = Mutex<Child?>(nil)

    /// The process; nil while there is none.
    public var process: Child? { state.withLock { $0 } }
    /// What it wrote to its log.
    public var log: String { (try? String(contentsOfFile: path("log"), encoding: .utf8)) ?? "" }
    /// Where the user's token stands.
    public var tokenFile: String { "\(server.folder)/\(settings.user ?? "nobody").token" }

    /// Makes tokens and configuration, and starts it.
    public static func start(_ server: LiveServer, _ settings: Settings = Settings()) async throws -> RealWorker {
        let worker = RealWorker(server, settings)
        var shown = "token_file: \"\(worker.path("token"))\""
        if let certificate = settings.certificate {
            shown = "client_certificate: \"\(certificate.path)\", client_key: \"\(certificate.keyPath)\""
        } else {
            var token = settings.token
            if token == nil { token = try await server.token(user: settings.name, role: "worker") }
            try worker.secret(token ?? "", worker.path("token"))
        }
        if let user = settings.user {
            try worker.secret(try await server.token(user: user, role: "user"), worker.tokenFile)
        }
        let authority = server.settings.certificate.map { "ca_file: \"\($0.path)\"," } ?? ""
        let config = """
            {
                url: "\(settings.url ?? server.url)", \(authority)
                name: "\(settings.name)", \(shown), slots: \(settings.slots),
                claim_limit: \(settings.claimLimit), protocols: {\(settings.protocols)},
                protocols_dir: "\(Built.repository)/protocols", work_dir: "\(settings.name)-work",
            }
            """
        try config.write(toFile: worker.path("json5"), atomically: true, encoding: .utf8)
        try await worker.start()
        return worker
    }

    private init(_ server: LiveServer, _ settings: Settings) {
        self.server = server
        self.settings = settings
    }

    private func path(_ what: String) -> String { "\(server.folder)/\(settings.name).worker.\(what)" }

    private func secret(_ text: String, _ path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    }

    /// Puts another token into its file, as whoever renews it does.
    public func renew(_ token: String) throws { try secret(token, path("token")) }

    /// Starts the process.
    public func start() async throws {
        let words = settings.launcher + [Built.executable("haul-worker"), "--config", path("json5")]
        let child = try await Child.start(
            Command(
                executable: words[0], arguments: Array(words.dropFirst()), output: .null,
                errors: .append(path: path("log"))))
        state.withLock { $0 = child }
    }

    /// Runs `haul` as the user.
    public func haul(_ words: String...) async throws -> ProgramRun {
        let trust = server.settings.certificate.map { ["--ca-file", $0.path] } ?? []
        return try await ProgramRun("haul", words + ["--url", server.url, "--token-file", tokenFile] + trust)
    }

    /// Processes that the worker runs: the children of all its threads.
    public var backends: [Int32] {
        guard let process, process.status == nil else { return [] }
        let tasks = "/proc/\(process.pid)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return threads.flatMap { thread in
            let text = (try? String(contentsOfFile: "\(tasks)/\(thread)/children", encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { Int32($0) }
        }
    }

    /// Ends the process at once, as a power cut would.
    public func kill() async {
        guard let process else { return }
        process.signal(SIGKILL)
        _ = await process.wait()
    }

    public func stop() async { _ = await process?.stop(grace: .seconds(10)) }
}
