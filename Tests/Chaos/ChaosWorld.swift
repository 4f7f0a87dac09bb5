import Foundation
import HaulPlayground
import HaulProtocol
import Support

/// The real thing: a server, workers and their backends, sites with real files, all in one temporary folder.
struct ChaosWorld: Sendable {
    /// What of it a misfortune needs.
    struct Options: Sendable {
        var store = ChaosStore.sqlite
        var workers = 3
        /// Of each job.
        var maxTries = 20
        /// KiB of a disk of its own for the server's state.
        var stateDisk: Int?
        /// KiB of a disk of its own for where files are moved to.
        var destinationDisk: Int?
        var network: Network?
    }

    /// Seconds for which a lease lasts.
    static let lease = 3.0
    /// Sites by id, as jobs name them.
    enum SiteID {
        static let source = 1
        static let destination = 2
        static let web = 3
    }

    let folder: String
    let options: Options
    let server: LiveServer
    let workers: [RealWorker]
    let web: WebServer
    /// The database's own server, where it has one.
    let cluster: PostgresCluster?
    let stateDisk: TinyDisk?
    let destinationDisk: TinyDisk?

    var source: String { folder + "/source" }
    var destination: String { folder + "/destination" }
    var webRoot: String { folder + "/web" }

    static func start(_ options: Options) async throws -> ChaosWorld {
        let folder = NSTemporaryDirectory() + "haul-chaos-\(UUID().uuidString)"
        for part in ["source", "destination", "web"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        let web = try await Apache.start(root: folder + "/web")
        var settings = LiveServer.Settings()
        settings.folder = folder + "/server"
        settings.leaseSeconds = lease
        settings.heartbeatSeconds = 0.5
        settings.host = options.network?.serverAddress ?? settings.host
        settings.sites = """
            {
                "source": {id: 1, protocol: "local", root: "\(folder)/source"},
                "destination": {id: 2, protocol: "local", root: "\(folder)/destination"},
                "web": {id: 3, protocol: "http", endpoints: ["\(web.endpoint)"], root: "/", options: {prefix: ""}},
            }
            """
        let cluster = try await options.store.prepare(&settings)
        let server = try LiveServer(settings)
        let stateDisk = try options.stateDisk.map { try disk(at: server.folder + "/state", kibibytes: $0) }
        let destinationDisk = try options.destinationDisk.map { try disk(at: folder + "/destination", kibibytes: $0) }
        try await server.start()
        var workers: [RealWorker] = []
        for number in 1...options.workers {
            var settings = RealWorker.Settings()
            settings.name = "w\(number)"
            settings.slots = 2
            settings.claimLimit = 12
            settings.user = nil
            settings.launcher = options.network?.launcher ?? []
            settings.protocols = "local: {roots: [\"\(folder)\"]}"
            workers.append(try await RealWorker.start(server, settings))
        }
        return ChaosWorld(
            folder: folder, options: options, server: server, workers: workers, web: web, cluster: cluster,
            stateDisk: stateDisk,
            destinationDisk: destinationDisk)
    }

    /// A full disk that can't be had fails the test: nobody shall believe that it was tested.
    private static func disk(at root: String, kibibytes: Int) throws -> TinyDisk {
        guard let disk = TinyDisk.open(at: root, kibibytes: kibibytes) else {
            throw LiveServer.Failure(description: "NOT TESTED: a full disk")
        }
        return disk
    }

    /// Whether files can go to the web site: it listens on the loopback interface, which a namespace has of its own.
    var hasWeb: Bool { options.network == nil }

    func remove() async {
        for worker in workers {
            worker.process?.signal(SIGCONT)
            await worker.stop()
        }
        server.process?.signal(SIGCONT)
        await server.stop()
        await web.stop()
        stateDisk?.remove()
        destinationDisk?.remove()
        await server.remove()
        await cluster?.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
