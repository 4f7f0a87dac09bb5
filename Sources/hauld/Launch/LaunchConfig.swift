import HaulConfig
import HaulModel

/// `launch` of the configuration: workers that are started for queues.
struct LaunchConfig: Decodable, Sendable {
    enum By: String, Decodable, Sendable {
        case local, slurm
    }

    var by: By
    /// The program; nil is the one beside this one.
    var worker: String?
    /// Its configuration.
    var config: String
    /// Where each has a private folder; at Slurm every node sees it.
    var folder: String
    /// Where they reach this server, or any of its database; nil is where the other servers do.
    var url: String?
    /// At once: of this server, at Slurm of the database.
    var workers = 4
    /// At once, of one user.
    var perUser = 4
    /// In a row that fail, until one is given up.
    var tries = 5
    /// Seconds without work after which one ends.
    var idleSeconds = 60.0
    /// Seconds between two looks at Slurm's queue.
    var pollSeconds = 10.0
    /// What `sbatch` is told besides.
    var sbatch: [String] = []
    /// `slurm.conf`, if it is not where Slurm looks for it.
    var slurmConf: String?

    private enum CodingKeys: String, CodingKey {
        case by, worker, config, folder, url, workers, tries, sbatch
        case perUser = "per_user"
        case idleSeconds = "idle_seconds"
        case pollSeconds = "poll_seconds"
        case slurmConf = "slurm_conf"
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard let by = By(rawValue: try container.decode(String.self, forKey: .by)) else {
            throw ConfigValueError(expected: "\"local\" or \"slurm\"", key: "by")
        }
        self.by = by
        worker = try container.decodeIfPresent(String.self, forKey: .worker)
        config = try container.decode(String.self, forKey: .config)
        folder = try container.decode(String.self, forKey: .folder)
        url = try container.decodeIfPresent(String.self, forKey: .url)
        if let url, !ServerConfig.isAddress(url) {
            throw ConfigValueError(expected: "\"http://HOST:PORT\" or \"https://HOST:PORT\"", key: "url")
        }
        workers = try container.decode(Int.self, forKey: .workers, in: 1...10_000, default: workers)
        perUser = try container.decode(Int.self, forKey: .perUser, in: 1...500, default: perUser)
        tries = try container.decode(Int.self, forKey: .tries, in: 1...100, default: tries)
        idleSeconds = try container.decode(Double.self, forKey: .idleSeconds, in: 0.1...86_400, default: idleSeconds)
        pollSeconds = try container.decode(Double.self, forKey: .pollSeconds, in: 0.1...120, default: pollSeconds)
        sbatch = try container.decodeIfPresent([String].self, forKey: .sbatch) ?? []
        guard sbatch.allSatisfy({ $0.hasPrefix("-") }) else {
            throw ConfigValueError(expected: "a list of options, each \"--NAME\" or \"--NAME=VALUE\"", key: "sbatch")
        }
        if let own = sbatch.first(where: Self.isOwn) {
            throw ConfigValueError(expected: "options that haul does not set itself, not \"\(own)\"", key: "sbatch")
        }
        slurmConf = try container.decodeIfPresent(String.self, forKey: .slurmConf)
    }

    /// Options of sbatch(1) that haul sets, or with which it would not know its jobs again. Long ones can be cut short.
    private static func isOwn(_ option: String) -> Bool {
        let long = [
            "array", "chdir", "clusters", "error", "export", "export-file", "help", "job-name", "output", "parsable",
            "requeue", "test-only", "uid", "usage", "version", "wait", "wrap",
        ]
        let name = option.drop { $0 == "-" }.prefix { $0 != "=" }
        if !option.hasPrefix("--") { return "aDeJhMoVW".contains(option.dropFirst().first ?? "h") }
        // "--exp" is "--export", "--exclusive" is not.
        return name.isEmpty || long.contains { $0.hasPrefix(name) }
    }

    func resolved(relativeTo file: String) -> LaunchConfig {
        var launch = self
        launch.worker = worker.map { ConfigFile.resolve($0, relativeTo: file) }
        launch.config = ConfigFile.resolve(config, relativeTo: file)
        launch.folder = ConfigFile.resolve(folder, relativeTo: file)
        launch.slurmConf = slurmConf.map { ConfigFile.resolve($0, relativeTo: file) }
        return launch
    }
}
