import Foundation
import HaulAPI
import HaulConfig
import HaulEngine
import HaulLogs
import HaulModel
import HaulStore

/// Where logs go, opened before the server joins the others: a spool knows which of them it is.
enum OpenedLogs {
    case folder(String)
    case spool(SpoolFolder, BucketPlace, BucketAddress)

    init(_ place: LogPlace) throws {
        switch place {
        case .folder(let path):
            try Server.makeFolder(of: path, "the logs")
            self = .folder(path)
        case .bucket(let bucket):
            try Server.makeFolder(of: bucket.spool.folder, "the spool")
            let keys = try Self.keys(bucket.credentials)
            let address = BucketAddress(
                endpoint: bucket.endpoint, bucket: bucket.bucket, prefix: bucket.prefix, region: bucket.region,
                accessKey: keys.access, secretKey: keys.secret, authoritiesPath: bucket.authorities)
            do { self = .spool(try SpoolFolder(root: bucket.spool.folder), bucket, address) } catch {
                throw StartError(message: "\(error)")
            }
        }
    }

    /// The server that the spool is of.
    var server: Int? {
        if case .spool(let folder, _, _) = self { return folder.server }
        return nil
    }

    /// The store of logs for this server.
    func store(server: Int, elsewhere: any LogsElsewhere) throws -> LogStore {
        do throws(LogError) {
            switch self {
            case .folder(let path):
                return try LogStore(root: path, server: server, elsewhere: elsewhere, isLocked: true)
            case .spool(let folder, let place, let address):
                try folder.keep(server: server)
                return try LogStore(
                    spool: folder, spoolBytes: place.spool.bytes, bucket: address, server: server,
                    elsewhere: elsewhere)
            }
        } catch {
            throw StartError(message: "\(error)")
        }
    }

    private static func keys(_ path: String) throws -> BucketPlace.Keys {
        if let problem = PrivateFile.problem(with: path) { throw StartError(message: "\(path) \(problem)") }
        return try ConfigFile.load(BucketPlace.Keys.self, from: path)
    }
}

/// Asks the other servers for logs that are on their disks alone.
struct LogsOfOthers: LogsElsewhere {
    let store: Store
    let client: ServerClient
    private let silent = SilentServers()

    init(store: Store, client: ServerClient) {
        self.store = store
        self.client = client
    }

    func length(of file: String, job logUID: String, server: Int) async throws(LogError) -> Int? {
        try await ask(server) { try await client.length(of: file, job: logUID, at: $0) }
    }

    func read(
        _ file: String, job logUID: String, server: Int, from: Int, count: Int
    ) async throws(LogError) -> [UInt8]? {
        try await ask(server) { try await client.read(file, job: logUID, from: from, count: count, at: $0) }
    }

    private func ask<T>(_ id: Int, _ body: (KnownServer) async throws -> T?) async throws(LogError) -> T? {
        do {
            // One that was forgotten has nothing any more.
            guard let server = try await store.read({ try $0.server(id) }) else { return nil }
            try silent.check(server, now: World.real.now())
            do { return try await body(server) } catch let error as ServerUnreachable {
                silent.note(server, now: World.real.now())
                throw error
            }
        } catch {
            throw .away("server \(id): \(error)")
        }
    }
}
