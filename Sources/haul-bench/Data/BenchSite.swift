import Foundation

/// A site of the playground as the bench uses it: a folder of its own below the site's root.
struct BenchSite {
    let name: String
    let protocolName: String
    /// The bench's folder on this machine's disk.
    let disk: String
    /// The same folder, as a job names it.
    let path: String
    /// `127.0.0.1:PORT`; empty where there is no server.
    let endpoint: String
    /// What worker and server are told of the playground: keys, addresses.
    private let environment: [String: String]

    init(_ name: String, of playground: PlaygroundFile, folder: String) throws {
        let site = try playground.site(name)
        guard let root = site.root else { throw BenchError(message: "\(name) keeps no data") }
        self.name = name
        protocolName = site.protocol
        disk = "\(root)/\(folder)"
        path = site.path == "/" ? "/\(folder)" : "\(site.path)/\(folder)"
        environment = try playground.part("hauld").env
        endpoint = environment["HAUL_" + name.uppercased().replacing("-", with: "_")] ?? ""
    }

    var port: String { String(endpoint.split(separator: ":").last ?? "") }

    /// What the playground's environment says; the playground sets it for each of its sites.
    func setting(_ name: String) throws -> String {
        guard let value = environment[name] else { throw BenchError(message: "the playground has no \(name)") }
        return value
    }

    /// Makes a folder on the disk that the site's server may write into.
    func make(_ name: String) throws {
        let folder = "\(disk)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        // A server may run as somebody else.
        for path in [disk, folder] { chmod(path, 0o777) }
    }

    func remove(_ name: String) throws {
        let folder = "\(disk)/\(name)"
        if FileManager.default.fileExists(atPath: folder) { try FileManager.default.removeItem(atPath: folder) }
    }

    func removeAll() { try? FileManager.default.removeItem(atPath: disk) }
}
