/// An option of a verb: what the parser takes, the help shows and the completions offer.
struct OptionSpec: Sendable {
    /// Without the dashes.
    var name: String
    var short: Character?
    /// Nil for a flag.
    var value: Value?
    var help: String
    var isRepeatable = false

    /// What stands behind an option.
    struct Value: Sendable {
        /// As the help shows it: `SECONDS`.
        var placeholder: String
        /// Nothing else is taken, where there are any.
        var choices: [String] = []
        var isFile = false
        var isNumber = false
    }

    static func flag(_ name: String, short: Character? = nil, _ help: String) -> OptionSpec {
        OptionSpec(name: name, short: short, value: nil, help: help)
    }

    static func value(_ name: String, short: Character? = nil, _ placeholder: String, _ help: String) -> OptionSpec {
        OptionSpec(name: name, short: short, value: Value(placeholder: placeholder), help: help)
    }

    static func number(_ name: String, _ placeholder: String, _ help: String) -> OptionSpec {
        OptionSpec(name: name, value: Value(placeholder: placeholder, isNumber: true), help: help)
    }

    static func file(_ name: String, _ help: String) -> OptionSpec {
        OptionSpec(name: name, value: Value(placeholder: "FILE", isFile: true), help: help)
    }

    static func choice(_ name: String, _ choices: [String], _ help: String) -> OptionSpec {
        OptionSpec(name: name, value: Value(placeholder: choices.joined(separator: "|"), choices: choices), help: help)
    }

    func repeatable() -> OptionSpec {
        var option = self
        option.isRepeatable = true
        return option
    }

    /// `-o, --option NAME=VALUE`.
    var usage: String {
        let names = (short.map { "-\($0), " } ?? "") + "--\(name)"
        return value.map { "\(names) \($0.placeholder)" } ?? names
    }
}

extension OptionSpec {
    /// Known to every verb that talks to a server.
    static let connection: [OptionSpec] = [
        .value("url", "URL", "the server (HAUL_URL, or url in the config file)"),
        .file("token-file", "a file that holds your token (HAUL_TOKEN_FILE; HAUL_TOKEN holds a token itself)"),
        .file("config", "the config file (HAUL_CONFIG; else ~/.config/haul/config.json5)"),
        .file("ca-file", "authorities to trust instead of the system's, PEM (HAUL_CA_FILE)"),
        .file("client-certificate", "a certificate to be known by, PEM (HAUL_CLIENT_CERTIFICATE)"),
        .file("client-key", "its key, PEM; not needed where both are in one file (HAUL_CLIENT_KEY)"),
        .flag("json", "print the server's documents as they are, lists as a document a line"),
    ]

    static let help = OptionSpec.flag("help", short: "h", "print this")
}
