import Foundation
import HaulConfig
import HaulEngine
import HaulModel
import HaulProtocol

/// Where launched workers have what is theirs: a folder each (0700), which holds its token (0600), what it is told
/// besides its configuration, and its work. The database's name stands in theirs, as several may share a cluster.
struct LaunchFolder: Sendable {
    let path: String
    let url: String
    let idleSeconds: Double
    /// Its worker program, and that one's configuration.
    let program: String
    let config: String
    /// What begins the names of this database's workers.
    let prefix: String
    private let files = BlockingQueue(label: "hauld.launched")

    init(_ config: LaunchConfig, url: String, database: String) throws {
        path =
            config.folder.hasPrefix("/")
            ? config.folder : FileManager.default.currentDirectoryPath + "/" + config.folder
        self.url = config.url ?? url
        idleSeconds = config.idleSeconds
        program = config.worker ?? ProtocolCatalog.besideExecutable + "/haul-worker"
        self.config =
            config.config.hasPrefix("/")
            ? config.config : FileManager.default.currentDirectoryPath + "/" + config.config
        prefix = "haul-\(database)-"
        guard access(self.config, R_OK) == 0 else {
            throw StartError(message: "\(self.config): launched workers' configuration (launch.config) can't be read")
        }
        do {
            try PrivateFolder.make(path, withParents: true)
        } catch {
            throw StartError(
                message: "\(path): the folder of launched workers can't be made: \(error.localizedDescription)")
        }
    }

    func name(of key: Launch.Key) -> String { prefix + key.text }

    func key(of name: some StringProtocol) -> Launch.Key? {
        name.hasPrefix(prefix) ? Launch.Key(text: name.dropFirst(prefix.count)) : nil
    }

    func folder(of key: Launch.Key) -> String { "\(path)/\(name(of: key))" }

    /// The words after the program's name.
    func arguments(of key: Launch.Key) -> [String] { ["--config", config, "--launched", folder(of: key)] }

    /// What a worker reads besides its configuration (`haul-worker --launched`).
    private struct Told: Encodable {
        var url: String
        var name: String
        var exit_idle_seconds: Double
    }

    /// Makes a worker's folder.
    ///
    /// - Parameter script: what is to stand in it besides, as `start`.
    func make(_ worker: NewWorker, script: String? = nil) async throws {
        try await files.run {
            let folder = folder(of: worker.key)
            try PrivateFolder.make(folder, isNew: true)
            try write(worker.token + "\n", to: folder + "/token")
            let told = try JSONEncoder().encode(Told(url: url, name: worker.name, exit_idle_seconds: idleSeconds))
            try write(String(decoding: told, as: UTF8.self), to: folder + "/launch.json")
            if let script { try write(script, to: folder + "/start", mode: 0o700) }
        }
    }

    private func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        try FileHandle(fileDescriptor: descriptor, closeOnDealloc: true).write(contentsOf: Data(text.utf8))
    }

    /// Whose folders there are.
    func there() async -> Set<Launch.Key> {
        let names = try? await files.run { try FileManager.default.contentsOfDirectory(atPath: path) }
        return Set((names ?? []).compactMap { key(of: $0) })
    }

    /// Removes folders of workers that are gone.
    ///
    /// - Returns: the last line that each wrote to its log, where it has one of its own.
    @discardableResult
    func remove(_ keys: Set<Launch.Key>) async -> [Launch.Key: String] {
        guard !keys.isEmpty else { return [:] }
        let words = try? await files.run {
            var words: [Launch.Key: String] = [:]
            for key in keys {
                words[key] = Self.lastLine(of: folder(of: key) + "/log")
                // What a backend still writes keeps it for the next time.
                try? FileManager.default.removeItem(atPath: folder(of: key))
            }
            return words
        }
        return words ?? [:]
    }

    /// Bytes of a log's end in which its last line is looked for.
    private static let end: UInt64 = 2048

    private static func lastLine(of path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path), let size = try? file.seekToEnd() else { return nil }
        try? file.seek(toOffset: size > end ? size - end : 0)
        guard let bytes = try? file.read(upToCount: Int(end)) else { return nil }
        return LaunchEnvironment.lastLine(bytes)
    }
}
