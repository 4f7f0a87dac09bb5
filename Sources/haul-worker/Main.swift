import Foundation
import HaulConfig
import HaulHTTP
import HaulModel
import HaulProcess
import HaulProtocol
import HaulWorker

/// `haul-worker [--config FILE]`: one worker, until SIGTERM or SIGINT.
@main
enum HaulWorkerProgram {
    static let usualConfig = "/etc/haul/worker.json5"

    static let help = """
        haul-worker: takes work from hauld and runs it

        haul-worker [--config FILE] [--launched FOLDER]
            Works until SIGTERM, which lets what runs end (drain_seconds); a second one ends it at once. FILE is
            \(usualConfig) unless given; config/worker.json5 explains each key. With FOLDER, as hauld starts it for a
            queue: what stands there (launch.json, token) counts before FILE, and it ends when it has nothing to do.
        haul-worker --version | --help

        Exit codes: 0 ended as asked, 1 could not start, or hauld refused it (its token was revoked, say), 2 wrong command
        line or config file.
        """

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if ["--help", "-h", "help"].contains(arguments.first) { return print(help) }
        if arguments == ["--version"] { return print("haul-worker \(Worker.version)") }
        var options: [String: String] = [:]
        for place in stride(from: 0, to: arguments.count, by: 2) {
            guard ["--config", "--launched"].contains(arguments[place]), place + 1 < arguments.count,
                options.updateValue(arguments[place + 1], forKey: arguments[place]) == nil
            else {
                leave(2, "\"\(arguments.joined(separator: " "))\" is not understood: haul-worker --help shows what is")
            }
        }
        let file = options["--config"] ?? usualConfig
        signal(SIGPIPE, SIG_IGN)
        do {
            let config = try WorkerFile.load(file, launched: options["--launched"])
            let catalog = ProtocolCatalog.scan([config.protocolsFolder])
            try check(config.settings, against: catalog, file: file)
            leave(await run(config, catalog))
        } catch {
            let isUnnamed = options.isEmpty && error.file == file && error.line == nil
            leave(2, "\(error)" + (isUnnamed ? "; --config FILE names another" : ""))
        }
    }

    private static func run(_ config: WorkerConfig, _ catalog: ProtocolCatalog) async -> Int32 {
        let log = WorkerLog { FileHandle.standardError.write(Data("\(Timestamp.stamp) \($0)\n".utf8)) }
        for problem in catalog.unusable {
            let reason = problem.reasons.joined(separator: "; ")
            log("protocol-unusable", ["protocol": problem.name ?? problem.folder, "reason": reason])
        }
        guard !catalog.usable.isEmpty else {
            complain("no usable protocol in \(config.protocolsFolder): see the reasons above")
            return 1
        }
        for found in catalog.usable {
            log("protocol", ["protocol": found.manifest.name, "backend": found.executable])
        }
        let folder: WorkFolder
        do {
            folder = try WorkFolder(config.workFolder)
        } catch {
            complain("\(error)")
            return 1
        }
        let pace = Pace()
        var connecting = HTTPClientConfiguration()
        connecting.authoritiesPath = config.authoritiesPath
        connecting.certificatePath = config.certificatePath
        connecting.keyPath = config.keyPath
        let server = HTTPWorkerServer(
            client: HTTPClient(configuration: connecting), url: config.url,
            token: config.token.map { WorkerToken($0, file: config.tokenFile) }, timeout: pace.request,
            log: log)
        let worker = Worker(config, catalog: catalog, folder: folder, server: server, pace: pace, log: log)
        let signals = await EndSignals([SIGTERM, SIGINT])
        let orders = Task { await obey(signals, worker, log) }
        defer { orders.cancel() }
        switch await worker.run() {
        case .drained, .killed:
            log("end")
            return 0
        case .deserted(let reason):
            complain("\(config.url.absoluteString) gave no session for too long: \(reason)")
            return 1
        case .refused(let reason):
            complain("\(config.url.absoluteString) does not accept this worker: \(reason)")
            return 1
        }
    }

    /// The first signal drains the worker, the second ends it at once.
    private static func obey(_ signals: EndSignals, _ worker: Worker, _ log: WorkerLog) async {
        guard let first = await signals.next() else { return }
        log("told-to-end", ["signal": first, "at-once": false])
        await worker.drain()
        guard let second = await signals.next(2) else { return }
        log("told-to-end", ["signal": second, "at-once": true])
        await worker.kill()
    }

    /// A setting of the wrong type is found before any work is done with it.
    private static func check(
        _ settings: [String: [String: JSONValue]], against catalog: ProtocolCatalog, file: String
    ) throws(ConfigError) {
        for (name, values) in settings.sorted(by: { $0.key < $1.key }) {
            guard let specs = catalog[name]?.manifest.settings else { continue }
            if let problem = specs.problems(in: values).first {
                throw ConfigError(file: file, key: "protocols.\(name).\(problem.key)", message: problem.message)
            }
            if let key = specs.unknown(in: values).first {
                let known = specs.map(\.name).joined(separator: ", ")
                throw ConfigError(
                    file: file, key: "protocols.\(name).\(key)",
                    message: "is no setting of this protocol" + (known.isEmpty ? "" : "; known: \(known)"))
            }
        }
    }

    private static func complain(_ line: String) {
        FileHandle.standardError.write(Data("haul-worker: \(line)\n".utf8))
    }

    private static func leave(_ status: Int32, _ line: String? = nil) -> Never {
        if let line { complain(line) }
        exit(status)
    }
}

extension Timestamp {
    /// Now, as a line of the log starts.
    fileprivate static var stamp: String {
        Timestamp(milliseconds: Int(Date().timeIntervalSince1970 * 1000)).text
    }
}
