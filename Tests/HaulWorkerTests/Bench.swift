import Foundation
import HaulHTTP
import HaulModel
import HaulProtocol
import HaulWorker
import Support
import Synchronization

/// A worker in this process, on short intervals, and a server that a test plays.
final class Bench: Sendable {
    let server: TestServer
    let folder: String
    let worker: Worker
    private let client: HTTPClient
    private let lines: Lines
    private let ending: Task<WorkerEnd, Never>

    final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }

    init(
        server: TestServer? = nil, url: String? = nil, graces: BackendRun.Graces = BackendRun.Graces(),
        catalog: ProtocolCatalog = Built.protocols(), progress: Double = 0.05, tick: Double = 0.05,
        _ configure: (inout WorkerConfig) -> Void = { _ in }
    ) throws {
        let server = try server ?? TestServer()
        self.server = server
        folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/hw-\(UUID().uuidString)"
        let address = try Self.address(url ?? server.url)
        var config = WorkerConfig(
            url: address, token: "worker-token", name: "w", protocolsFolder: Built.repository + "/protocols",
            workFolder: folder, concurrency: 4, drainSeconds: 20)
        configure(&config)
        var pace = Pace()
        pace.claimWait = 5
        pace.progress = progress
        pace.tick = tick
        pace.liveLog = 0.1
        pace.serverless = 0.5
        pace.backoff = Backoff(first: 0.02, maximum: 0.2)
        let lines = Lines()
        self.lines = lines
        let log = WorkerLog { line in lines.all.withLock { $0.append(line) } }
        client = HTTPClient()
        let link = HTTPWorkerServer(
            client: client, url: config.url, token: config.token.map { WorkerToken($0) }, timeout: pace.request,
            log: log)
        let worker = Worker(
            config, catalog: catalog, folder: try WorkFolder(folder), server: link, pace: pace, graces: graces, log: log
        )
        self.worker = worker
        ending = Task { await worker.run() }
    }

    private static func address(_ text: String) throws -> URL {
        guard let url = URL(string: text) else { throw NoAddress(text: text) }
        return url
    }

    struct NoAddress: Error { var text: String }

    /// What the worker wrote to its log.
    var log: [String] { lines.all.withLock { $0 } }
    func logged(_ event: String) -> [String] { log.filter { $0.split(separator: " ").first == event[...] } }

    /// The worker's backends that are alive now: they work in its folder.
    var backends: [Int32] { Processes.working(in: folder) }

    /// How the worker ended.
    var end: WorkerEnd { get async { await ending.value } }

    /// Ends the worker in good order and removes what it left.
    @discardableResult
    func close() async -> WorkerEnd {
        await worker.drain()
        let end = await ending.value
        await server.stop()
        await client.close()
        try? FileManager.default.removeItem(atPath: folder)
        return end
    }
}

/// What runs on this machine (proc(5)).
enum Processes {
    /// Processes whose working directory is below a folder.
    static func working(in folder: String) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { pid in
            let place = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
            return place?.hasPrefix(folder) == true && state(pid) != "Z"
        }
    }

    /// Processes that call themselves so.
    static func named(_ name: String) -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { pid in
            (try? String(contentsOfFile: "/proc/\(pid)/comm", encoding: .utf8)) == name + "\n" && state(pid) != "Z"
        }
    }

    /// What stands beside a worker: guards that read from a pipe of its.
    static func guards(of worker: Int32) -> [Int32] {
        func place(_ descriptor: String) -> String? {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(descriptor)")
        }
        let own = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(worker)/fd")) ?? []
        let pipes = Set(own.compactMap { place("\(worker)/fd/\($0)") }.filter { $0.hasPrefix("pipe:") })
        return named("haul-guard").filter { place("\($0)/fd/3").map(pipes.contains) == true }
    }

    /// `R`, `S`, `Z` ...; nil where there is no such process.
    static func state(_ pid: Int32) -> String? {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return nil }
        return text.split(separator: ")").last?.split(separator: " ").first.map(String.init)
    }

    /// The most memory that a process ever had, in bytes.
    static func peak(_ pid: Int32) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) * 1024
    }
}
