import HaulModel

/// What the command line asks for.
enum Arguments {
    case help
    case version
    case serve(config: String)
    case addToken(config: String, TokenCommand.Request)
    case listTokens(config: String, user: String?)
    case revokeTokens(config: String, TokenCommand.Choice)
    case user(config: String, UserCommand.Request, changes: Bool)
    case vault(config: String, VaultCommand.Verb)

    static let versionText = "0.1.0"
    static let usualConfig = "/etc/haul/hauld.json5"

    static let helpText = """
        hauld: the haul server

        hauld [--config FILE]
            Serves until SIGTERM. FILE is \(usualConfig) unless given; config/hauld.json5 explains each key.
        hauld user add NAME [--role user|worker|operator] [--password-file FILE] [--config FILE]
        hauld user change NAME [--role ROLE] [--password-file FILE] [--disabled yes|no] [--groups NAME,...]
                         [--config FILE]
            Makes or changes a user: how the first operator comes to be. FILE holds the password; - is standard input.
        hauld token add --user NAME --role user|worker|operator [--config FILE] [--name TEXT] [--scopes SCOPE,...]
                        [--days N] [--sites ID,...] [--queues NAME,...] [--users NAME,...]
            Makes a token and prints it once; only a hash is stored. Scopes narrow it to some of what its role may do;
            the last three restrict what a worker gets.
        hauld token list [--user NAME] [--config FILE]
            Tokens by id, without what they are called by.
        hauld token revoke --id N,... | --user NAME [--role ROLE] | --token-file FILE  [--config FILE]
            Makes tokens worthless at once, also while servers run. A worker's session ends with its token: what it
            holds is handed out again. FILE holds the token itself; - is standard input.
        hauld vault add | rotate | retire [--config FILE]
            rotate seals all credentials with a new key, also while servers run; of several servers each needs the file
            with the new key before: add makes it. retire drops the old keys from the file.
        hauld --version | --help

        Exit codes: 0 ended as asked, 1 could not start or failed, 2 wrong command line or config file.
        """

    init(_ words: some Sequence<String>) throws(UsageError) {
        var words = Array(words)
        if words.contains("--help") || words.contains("-h") || words.first == "help" {
            self = .help
        } else if words == ["--version"] || words == ["version"] {
            self = .version
        } else if words.first == "token" {
            let verb = words.count > 1 ? words[1] : ""
            words.removeFirst(min(2, words.count))
            switch verb {
            case "add": self = try Self.addToken(words)
            case "list": self = try Self.listTokens(words)
            case "revoke": self = try Self.revokeTokens(words)
            default: throw UsageError(message: "token: say add, list or revoke")
            }
        } else if words.first == "user" {
            let verb = words.count > 1 ? words[1] : ""
            guard ["add", "change"].contains(verb) else { throw UsageError(message: "user: say add or change") }
            self = try Self.addUser(Array(words.dropFirst(2)), changes: verb == "change")
        } else if words.first == "vault" {
            let verb = words.count > 1 ? words[1] : ""
            guard let verb = VaultCommand.Verb(rawValue: verb) else {
                throw UsageError(message: "vault: say add, rotate or retire")
            }
            let options = try Self.options(Array(words.dropFirst(2)), named: ["config"])
            self = .vault(config: options["config"] ?? Self.usualConfig, verb)
        } else {
            let options = try Self.options(words, named: ["config"])
            self = .serve(config: options["config"] ?? Self.usualConfig)
        }
    }

    private static func addToken(_ words: [String]) throws(UsageError) -> Arguments {
        let options = try options(
            words, named: ["config", "user", "role", "name", "scopes", "days", "sites", "queues", "users"])
        guard let user = options["user"] else { throw UsageError(message: "token add: --user NAME is missing") }
        guard let role = options["role"].flatMap(Role.init) else {
            throw UsageError(message: "token add: --role must be user, worker or operator")
        }
        var spec = TokenSpec(role: role)
        spec.name = options["name"] ?? ""
        spec.scopes = try scopes(options["scopes"], of: role)
        spec.sites = try ids(options["sites"], "token add: --sites")
        spec.queues = list(options["queues"])
        spec.users = list(options["users"])
        let days = options["days"].map { Double($0) ?? .nan }
        if let days, !(days > 0 && days <= 36_500) {
            throw UsageError(message: "token add: --days must be a number from 0 to 36500")
        }
        return .addToken(
            config: options["config"] ?? usualConfig, TokenCommand.Request(user: user, spec: spec, days: days))
    }

    private static func listTokens(_ words: [String]) throws(UsageError) -> Arguments {
        let options = try options(words, named: ["config", "user"])
        return .listTokens(config: options["config"] ?? usualConfig, user: options["user"])
    }

    private static func revokeTokens(_ words: [String]) throws(UsageError) -> Arguments {
        let options = try options(words, named: ["config", "id", "user", "role", "token-file"])
        let choices = ["id", "user", "token-file"].filter { options[$0] != nil }
        guard choices.count == 1 else {
            throw UsageError(message: "token revoke: say which: --id, --user or --token-file")
        }
        let choice: TokenCommand.Choice
        if let ids = try ids(options["id"], "token revoke: --id") {
            choice = .ids(ids)
        } else if let file = options["token-file"] {
            choice = .file(file)
        } else {
            let role = options["role"].flatMap(Role.init)
            guard role != nil || options["role"] == nil else {
                throw UsageError(message: "token revoke: --role must be user, worker or operator")
            }
            choice = .user(options["user"] ?? "", role)
        }
        guard options["role"] == nil || choices == ["user"] else {
            throw UsageError(message: "token revoke: --role goes with --user")
        }
        return .revokeTokens(config: options["config"] ?? usualConfig, choice)
    }

    private static func scopes(_ text: String?, of role: Role) throws(UsageError) -> Set<Scope>? {
        guard let words = list(text) else { return nil }
        let scopes = words.compactMap { Scope(rawValue: $0) }
        guard scopes.count == words.count, !scopes.isEmpty, role.scopes.isSuperset(of: scopes) else {
            let known = role.scopes.map(\.rawValue).sorted().joined(separator: ", ")
            throw UsageError(message: "token add: --scopes of a token of role \(role.rawValue) are some of \(known)")
        }
        return Set(scopes)
    }

    private static func addUser(_ words: [String], changes: Bool) throws(UsageError) -> Arguments {
        let verb = changes ? "change" : "add"
        guard let name = words.first, !name.hasPrefix("--") else {
            throw UsageError(message: "user \(verb): whom? hauld user \(verb) NAME")
        }
        let options = try options(
            Array(words.dropFirst()),
            named: ["config", "role", "password-file"] + (changes ? ["disabled", "groups"] : []))
        let role = options["role"].flatMap(Role.init)
        guard role != nil || options["role"] == nil else {
            throw UsageError(message: "user \(verb): --role must be user, worker or operator")
        }
        let answers = ["yes": true, "no": false]
        guard options["disabled"] == nil || answers[options["disabled"] ?? ""] != nil else {
            throw UsageError(message: "user change: --disabled must be yes or no")
        }
        let request = UserCommand.Request(
            name: name, role: role, passwordFile: options["password-file"],
            isDisabled: options["disabled"].flatMap { answers[$0] },
            groups: options["groups"].map { $0.split(separator: ",").map(String.init) })
        return .user(config: options["config"] ?? usualConfig, request, changes: changes)
    }

    private static func ids(_ text: String?, _ option: String) throws(UsageError) -> [Int]? {
        guard let words = list(text) else { return nil }
        let ids = words.compactMap { Int($0) }
        guard ids.count == words.count, !ids.isEmpty else { throw UsageError(message: "\(option) takes ids: 1,2") }
        return ids
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
