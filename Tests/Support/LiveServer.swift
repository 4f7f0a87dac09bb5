import Foundation
public import HaulHTTP
public import HaulProtocol
import Synchronization

/// The real server, started in a temporary folder of its own on a free port of the loopback interface.
public final class LiveServer: Sendable {
    /// What of the configuration a test may want otherwise. Times are seconds.
    public struct Settings: Sendable {
        public var leaseSeconds = 60.0
        public var heartbeatSeconds = 15.0
        public var sessionlessSeconds = 21_600.0
        public var retryBase = 0.05
        public var retryMaximum = 0.2
        public var connections = 4096
        public var requestSeconds = 60.0
        /// Attempts in a row after which a site counts as down: more than tests of something else let fail.
        public var breakerFailures = 100_000
        public var breakerBase = 0.05
        public var runningPerUser: Int?
        /// Further keys of `limits`.
        public var moreLimits = ""
        /// `limits` of site 1, in the words of `sites.json5`.
        public var limitsOfSite1 = "{}"
        /// It speaks HTTPS with this.
        public var certificate: Certificate?
        /// Where the database is; nil is a new one, as ``TestDatabase`` says.
        public var store: String?
        /// The address that it listens at.
        public var host = "127.0.0.1"
        /// What `sites.json5` says; nil is a site a protocol, none of which is there.
        public var sites: String?
        /// Configuration, sites and state stand here; nil is a new folder below the system's temporary one.
        public var folder: String?
        /// Where the logs are, unless `logs` says, and a database's file; nil is below `folder`.
        public var state: String?
        /// The value of `logs`, as JSON5; nil is the folder `logs` below `state`.
        public var logs: String?
        /// The command that starts the program, as its last arguments: `env NAME=VALUE` and the like.
        public var launcher: [String] = []
        /// Further keys, as JSON5 with a comma at the end.
        public var more = ""

        public init() {}
    }

    /// Why there is no server.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        public init(description: String) { self.description = description }
    }

    /// Holds `hauld.json5`, `sites.json5`, `hauld.log`, the database and the logs.
    public let folder: String
    public let settings: Settings
    public let client: HTTPClient
    private let state = Mutex<(child: Child?, port: Int)>((nil, 0))
    private let place = Mutex<String?>(nil)

    /// Where it listens; the same after a restart.
    public var port: Int { state.withLock { $0.port } }
    public var url: String { "\(scheme)://\(settings.host):\(port)" }
    private var scheme: String { settings.certificate == nil ? "http" : "https" }
    /// The process; nil while there is none.
    public var process: Child? { state.withLock { $0.child } }
    public var config: String { folder + "/hauld.json5" }
    public var stateFolder: String { settings.state ?? folder + "/state" }
    /// The database's file, where it is one.
    public var database: String { stateFolder + "/haul.sqlite" }
    /// Where the database is, as the configuration says it.
    public var store: String { place.withLock { $0 } ?? settings.store ?? "state/haul.sqlite" }
    /// The same, for another server.
    public var sharedStore: String { store.hasPrefix("postgresql:") ? store : database }
    public var logs: String { stateFolder + "/logs" }
    /// What it wrote to its log.
    public var log: String { (try? String(contentsOfFile: folder + "/hauld.log", encoding: .utf8)) ?? "" }

    /// Writes the configuration without starting anything.
    public init(_ settings: Settings = Settings()) throws {
        folder = settings.folder ?? NSTemporaryDirectory() + "haul-server-\(UUID().uuidString)"
        self.settings = settings
        client = settings.certificate?.client() ?? HTTPClient()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try (settings.sites ?? Self.sites(settings)).write(
            toFile: folder + "/sites.json5", atomically: true, encoding: .utf8)
    }

    /// A server that answers.
    public static func start(_ settings: Settings = Settings()) async throws -> LiveServer {
        let server = try LiveServer(settings)
        try await server.start()
        return server
    }

    /// Starts the process, on the port that it had before, and waits until it listens.
    public func start() async throws {
        if place.withLock({ $0 == nil }) {
            var store = settings.store
            if store == nil { store = try await TestDatabase.make(file: "state/haul.sqlite") }
            place.withLock { [store] in $0 = store }
        }
        try configure(port: port)
        let before = log.utf8.count
        let words = settings.launcher + [Built.executable("hauld"), "--config", config]
        let child = try await Child.start(
            Command(
                executable: words[0], arguments: Array(words.dropFirst()), output: .null,
                errors: .append(path: folder + "/hauld.log")))
        try await eventually("hauld listens", within: .seconds(60)) {
            let line = self.log.utf8.dropFirst(before)
            if let status = child.status { throw Failure(description: "hauld \(status): \(String(line) ?? "")") }
            guard let text = String(line),
                let place = text.range(of: "listening url=\(self.scheme)://\(self.settings.host):")
            else {
                return false
            }
            guard let port = Int(text[place.upperBound...].prefix { $0.isNumber }) else { return false }
            self.state.withLock { $0 = (child, port) }
            return true
        }
    }

    /// Writes the configuration for a port; 0 is any that is free.
    public func configure(port: Int) throws {
        let tls = settings.certificate.map {
            "tls: {certificate: \"\($0.path)\", key: \"\($0.keyPath)\", authorities: \"\($0.path)\"},"
        }
        let text = """
            {
                listen: "\(settings.host):\(port)", \(tls ?? "")
                store: "\(store)", logs: \(settings.logs ?? "\"\(settings.state ?? "state")/logs\""), sites: "sites.json5",
                protocols: "\(Built.repository)/protocols",
                leases: {
                    seconds: \(settings.leaseSeconds), heartbeat: \(settings.heartbeatSeconds),
                    sessionless: \(settings.sessionlessSeconds),
                },
                retry: {base: \(settings.retryBase), maximum: \(settings.retryMaximum)},
                breaker: {failures: \(settings.breakerFailures), base: \(settings.breakerBase), maximum: 60},
                limits: {
                    connections: \(settings.connections), request_seconds: \(settings.requestSeconds),
                    running_per_user: \(settings.runningPerUser.map(String.init) ?? "null"), \(settings.moreLimits)
                }, \(settings.more)
            }
            """
        try text.write(toFile: config, atomically: true, encoding: .utf8)
    }

    /// Ends the process at once, as a power cut would.
    public func kill() async {
        guard let child = process else { return }
        child.signal(SIGKILL)
        _ = await child.wait()
        state.withLock { $0.child = nil }
    }

    /// Ends the process in good order.
    ///
    /// - Returns: how it ended; nil where there was none.
    @discardableResult
    public func stop() async -> ExitStatus? {
        guard let child = process else { return nil }
        let status = await child.stop(grace: .seconds(20))
        state.withLock { $0.child = nil }
        return status
    }

    /// Ends the process and removes all that it left.
    public func remove() async {
        await stop()
        await client.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Resident memory of the process in bytes (proc(5)).
    public var memory: Int {
        guard let pid = process?.pid,
            let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
        else { return 0 }
        return (line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) } ?? 0) * 1024
    }

    /// One site a protocol and more; none of them is there.
    private static func sites(_ settings: Settings) -> String {
        """
        {
            "ssh-a": {
                id: 1, protocol: "ssh", endpoints: ["127.0.0.1:1"], options: {user: "haul", host_keys: ["k"]},
                limits: \(settings.limitsOfSite1),
            },
            "ssh-b": {id: 2, protocol: "ssh", endpoints: ["127.0.0.1:1"], options: {user: "haul", host_keys: ["k"]}},
            "http-a": {id: 3, protocol: "http", endpoints: ["127.0.0.1:1"], root: "/"},
            "local-a": {id: 5, protocol: "local", root: "/srv/local-a"},
            "fake-a": {id: 6, protocol: "fake"},
            "dummy-a": {id: 7, protocol: "dummy"},
            "gridftp-12": {id: 12, protocol: "gridftp", endpoints: ["127.0.0.1:1"]},
            "gridftp-13": {id: 13, protocol: "gridftp", endpoints: ["127.0.0.1:1"]},
            "gridftp-14": {id: 14, protocol: "gridftp", endpoints: ["127.0.0.1:1"]},
            "gridftp-15": {id: 15, protocol: "gridftp", endpoints: ["127.0.0.1:1"]},
        }
        """
    }
}
