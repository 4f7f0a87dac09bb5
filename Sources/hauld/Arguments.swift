import HaulModel

/// What the command line asks for.
enum Arguments {
    case help
    case version
    case serve(config: String)
    case addToken(config: String, TokenCommand.Request)

    static let versionText = "0.1.0"
    static let usualConfig = "/etc/haul/hauld.json5"

    static let helpText = """
        hauld: the haul server

        hauld [--config FILE]
            Serves until SIGTERM. FILE is \(usualConfig) unless given; config/hauld.json5 explains each key.
        hauld token add --user NAME --role user|worker|operator [--config FILE]
                        [--sites ID,...] [--queues NAME,...] [--users NAME,...]
            Makes a token and prints it once; only a hash is stored. The last three restrict what a worker gets.
        hauld --version | --help

        Exit codes: 0 ended as asked, 1 could not start or failed, 2 wrong command line or config file.
        """

    init(_ words: some Sequence<String>) throws(UsageError) {
        var words = Array(words)
        if words.contains("--help") || words.contains("-h") || words.first == "help" {
            self = .help
            return
        }
        if words == ["--version"] || words == ["version"] {
            self = .version
            return
        }
        let isToken = words.starts(with: ["token", "add"])
        if isToken { words.removeFirst(2) }
        let names = isToken ? ["config", "user", "role", "sites", "queues", "users"] : ["config"]
        let options = try Self.options(words, named: names)
        let config = options["config"] ?? Self.usualConfig
        guard isToken else {
            self = .serve(config: config)
            return
        }
        guard let user = options["user"] else { throw UsageError(message: "token add: --user NAME is missing") }
        guard let role = options["role"].flatMap(Role.init) else {
            throw UsageError(message: "token add: --role must be user, worker or operator")
        }
        var sites: [Int]?
        if let text = options["sites"] {
            let ids = text.split(separator: ",").map { Int($0) }
            guard !ids.contains(nil) else { throw UsageError(message: "token add: --sites takes ids: 1,2") }
            sites = ids.compactMap { $0 }
        }
        self = .addToken(
            config: config,
            TokenCommand.Request(
                user: user, role: role, sites: sites, queues: Self.list(options["queues"]),
                users: Self.list(options["users"])))
    }

    private static func list(_ text: String?) -> [String]? { text?.split(separator: ",").map(String.init) }

    /// Reads `--name value` and `--name=value`.
    private static func options(_ words: [String], named names: [String]) throws(UsageError) -> [String: String] {
        var result: [String: String] = [:]
        var rest = words[...]
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else { throw UsageError(message: "\"\(word)\" is not understood here") }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts.first ?? "")
            guard names.contains(name) else { throw UsageError(message: "there is no option --\(name)") }
            guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
                throw UsageError(message: "--\(name) needs a value")
            }
            result[name] = value
        }
        return result
    }
}
