import Foundation
import HaulConfig
import HaulModel
import HaulWorker

/// The configuration file as it is written (`config/worker.json5` explains each key).
struct WorkerFile: Decodable, Sendable {
    var url: String
    var authorities: String?
    var tokenFile: String?
    var certificate: String?
    var key: String?
    var name: String?
    var slots: Int
    var protocolsFolder: String
    var sites: [Int]
    var workFolder: String
    var spoolBytes: Int
    var types: [String]?
    var settings: [String: [String: JSONValue]]
    var credentials: [String: [String: String]]
    var hosts: HostList?
    var claimLimit: Int
    var claimBytes: Int?
    var concurrency: Int
    var idleSeconds: Double
    var drainSeconds: Double

    private typealias Usual = WorkerConfig.Usual

    private enum CodingKeys: String, CodingKey {
        case url, name, slots, sites, types, credentials, concurrency, hosts
        case authorities = "ca_file"
        case tokenFile = "token_file"
        case certificate = "client_certificate"
        case key = "client_key"
        case protocolsFolder = "protocols_dir"
        case workFolder = "work_dir"
        case spoolBytes = "spool_bytes"
        case settings = "protocols"
        case claimLimit = "claim_limit"
        case claimBytes = "claim_bytes"
        case idleSeconds = "idle_seconds"
        case drainSeconds = "drain_seconds"
    }

    init(from decoder: any Decoder) throws {
        let file = try decoder.container(keyedBy: CodingKeys.self)
        url = try file.decode(String.self, forKey: .url)
        guard let address = URL(string: url), ["http", "https"].contains(address.scheme), address.host != nil else {
            throw ConfigValueError(expected: "http://HOST:PORT or https://HOST:PORT", key: CodingKeys.url.rawValue)
        }
        authorities = try file.decodeIfPresent(String.self, forKey: .authorities)
        certificate = try file.decodeIfPresent(String.self, forKey: .certificate)
        key = try file.decodeIfPresent(String.self, forKey: .key)
        if key != nil, certificate == nil {
            throw ConfigValueError(expected: "client_certificate beside it", key: CodingKeys.key.rawValue)
        }
        // Who shows a certificate needs no token.
        tokenFile =
            certificate == nil
            ? try file.decode(String.self, forKey: .tokenFile)
            : try file.decodeIfPresent(String.self, forKey: .tokenFile)
        name = try file.decodeIfPresent(String.self, forKey: .name)
        if let name, name.isEmpty || name.utf8.count > 128 {
            throw ConfigValueError(expected: "a name of 1 to 128 bytes", key: CodingKeys.name.rawValue)
        }
        slots = try file.decode(Int.self, forKey: .slots, in: 1...1000, default: Usual.slots)
        protocolsFolder = try file.decode(String.self, forKey: .protocolsFolder)
        sites = try file.decode([Int].self, forKey: .sites, default: [])
        workFolder = try file.decode(String.self, forKey: .workFolder)
        spoolBytes = try file.decode(Int.self, forKey: .spoolBytes, in: 4096...(1 << 60), default: Usual.spoolBytes)
        types = try file.decodeIfPresent([String].self, forKey: .types)
        for type in types ?? [] where JobType(text: type).map({ $0 == .task }) ?? true {
            let names = JobType.transfers.map(\.name).joined(separator: ", ")
            throw ConfigValueError(expected: "a list of \(names)", key: CodingKeys.types.rawValue)
        }
        settings = try file.decode([String: [String: JSONValue]].self, forKey: .settings, default: [:])
        credentials = try file.decode([String: [String: String]].self, forKey: .credentials, default: [:])
        if let names = try file.decodeIfPresent([String].self, forKey: .hosts) {
            hosts = HostList(names)
            guard hosts != nil else {
                throw ConfigValueError(
                    expected: "a list of HOST, HOST:PORT, *.DOMAIN or *.DOMAIN:PORT", key: CodingKeys.hosts.rawValue)
            }
        }
        claimLimit = try file.decode(Int.self, forKey: .claimLimit, in: 1...1000, default: Usual.claimLimit)
        claimBytes = try file.decodeIfPresent(Int.self, forKey: .claimBytes)
        if let claimBytes, claimBytes < 1 {
            throw ConfigValueError(expected: "a number of bytes, at least 1", key: CodingKeys.claimBytes.rawValue)
        }
        concurrency = try file.decode(Int.self, forKey: .concurrency, in: 1...1000, default: Usual.concurrency)
        idleSeconds = try file.decode(Double.self, forKey: .idleSeconds, in: 0...60, default: Usual.idleSeconds)
        drainSeconds = try file.decode(Double.self, forKey: .drainSeconds, in: 0...86_400, default: Usual.drainSeconds)
    }
}

extension WorkerFile {
    /// Reads a configuration with all that it points to. Reads the disk.
    ///
    /// - Parameter folder: the private folder of a worker that hauld launched: what stands there counts before the file.
    static func load(_ path: String, launched folder: String? = nil) throws(ConfigError) -> WorkerConfig {
        var file = try ConfigFile.load(WorkerFile.self, from: path)
        var exitIdleSeconds: Double?
        if let folder {
            let told = try ConfigFile.load(LaunchFile.self, from: folder + "/launch.json")
            (file.url, file.name, file.tokenFile) = (told.url, told.name, folder + "/token")
            (file.certificate, file.key) = (nil, nil)
            file.workFolder = folder + "/work"
            exitIdleSeconds = told.exitIdleSeconds
        }
        func resolve(_ name: String) -> String { ConfigFile.resolve(name, relativeTo: path) }
        guard let url = URL(string: file.url) else {
            throw ConfigError(file: path, key: "url", message: "is no URL")
        }
        let authorities = file.authorities.map(resolve)
        if let authorities, access(authorities, R_OK) != 0 {
            throw ConfigError(file: path, key: "ca_file", message: "\(authorities) cannot be read")
        }
        let certificate = file.certificate.map(resolve)
        if let certificate, access(certificate, R_OK) != 0 {
            throw ConfigError(file: path, key: "client_certificate", message: "\(certificate) cannot be read")
        }
        let key = file.key.map(resolve) ?? certificate
        if let key, let problem = PrivateFile.problem(with: key) {
            throw ConfigError(file: path, key: "client_key", message: "\(key) \(problem)")
        }
        var token: String?
        let tokenFile = file.tokenFile.map(resolve)
        if let tokenFile { token = try Self.token(in: tokenFile, config: path) }
        var config = WorkerConfig(
            url: url, authoritiesPath: authorities, certificatePath: certificate, keyPath: key, token: token,
            tokenFile: tokenFile,
            name: file.name ?? ProcessInfo.processInfo.hostName, slots: file.slots,
            protocolsFolder: resolve(file.protocolsFolder), sites: file.sites, workFolder: resolve(file.workFolder),
            spoolBytes: file.spoolBytes, types: file.types?.compactMap { JobType(text: $0) } ?? JobType.transfers,
            settings: Dictionary(file.settings.map { ($0.key.lowercased(), $0.value) }) { _, last in last },
            credentials: file.credentials.mapValues { $0.mapValues(resolve) }, claimLimit: file.claimLimit,
            claimBytes: file.claimBytes, concurrency: file.concurrency, idleSeconds: file.idleSeconds,
            drainSeconds: file.drainSeconds)
        config.hosts = file.hosts
        config.exitIdleSeconds = exitIdleSeconds
        return config
    }

    private static func token(in path: String, config: String) throws(ConfigError) -> String {
        switch WorkerToken.read(path) {
        case .success(let token): return token
        case .failure(let problem):
            throw ConfigError(file: config, key: "token_file", message: "\(path) \(problem.text)")
        }
    }
}

/// What hauld tells a worker that it launches, besides its token.
struct LaunchFile: Decodable, Sendable {
    var url: String
    var name: String
    var exitIdleSeconds: Double

    private enum CodingKeys: String, CodingKey {
        case url, name
        case exitIdleSeconds = "exit_idle_seconds"
    }
}
