import Foundation
import HaulConfig
import HaulHTTP
import HaulModel
import HaulProcess
import HaulProtocol
import HaulWorker

/// `haul-worker --config FILE`: one worker, until SIGTERM or SIGINT.
@main
enum HaulWorkerProgram {
    static let usage = "usage: haul-worker --config FILE"

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments == ["--help"] || arguments == ["-h"] { return print(usage) }
        if arguments == ["--version"] { return print("haul-worker \(Worker.version)") }
        guard arguments.count == 2, arguments[0] == "--config" else { leave(2, usage) }
        signal(SIGPIPE, SIG_IGN)
        do {
            let config = try WorkerFile.load(arguments[1])
            let catalog = ProtocolCatalog.scan([config.protocolsFolder])
            try check(config.settings, against: catalog, file: arguments[1])
            leave(await run(config, catalog))
        } catch {
            leave(2, "\(error)")
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
        let server = HTTPWorkerServer(
            client: HTTPClient(configuration: connecting), url: config.url, token: config.token, timeout: pace.request,
            log: log)
        let worker = Worker(config, catalog: catalog, folder: folder, server: server, pace: pace, log: log)
        let signals = await EndSignals([SIGTERM, SIGINT])
        let orders = Task { await obey(signals, worker, log) }
        defer { orders.cancel() }
        switch await worker.run() {
        case .drained, .killed:
            log("end")
            return 0
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
