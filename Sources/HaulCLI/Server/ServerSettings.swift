import Foundation
import HaulConfig
import HaulWire

/// Which server to talk to, and as whom.
struct ServerSettings: Sendable {
    /// With the API's root, without a final slash.
    var base: String
    var token: String?
    var authorities: String?
    /// A certificate to show, and its key.
    var certificate: String?
    var key: String?

    /// `~/.config/haul/config.json5`.
    private struct File: Decodable, Sendable {
        var url: String?
        var token: String?
        var token_file: String?
        var ca_file: String?
        var client_certificate: String?
        var client_key: String?
    }

    /// Looks at the options, then the environment, then the config file.
    /// - Parameter isStranger: No token is looked for: who logs in may have none, and need not.
    /// - Returns: the settings, and what to warn of.
    static func find(
        _ arguments: Arguments, _ environment: [String: String], isStranger: Bool = false
    ) throws -> (ServerSettings, warnings: [String]) {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        var warnings: [String] = []
        let named = arguments["config"] ?? variable("HAUL_CONFIG")
        let folder = variable("XDG_CONFIG_HOME") ?? "~/.config"
        let path = named ?? ConfigFile.resolve(folder + "/haul/config.json5", relativeTo: "")
        var file = File()
        if named != nil || access(path, F_OK) == 0 { file = try ConfigFile.load(File.self, from: path) }
        guard let url = arguments["url"] ?? variable("HAUL_URL") ?? file.url else {
            throw CLIError.usage(
                "no server is named", hint: "give --url URL, set HAUL_URL, or write {url: \"...\"} into \(path)")
        }
        // Whoever names another server does not mean to show it the token of this one.
        let isOwn = file.url.map { base($0) == base(url) } ?? true
        var token: String?
        if isStranger {
            token = nil
        } else if let given = arguments["token-file"] {
            token = try read(given, &warnings)
        } else if let given = variable("HAUL_TOKEN") {
            token = given
        } else if let given = variable("HAUL_TOKEN_FILE") {
            token = try read(given, &warnings)
        } else if isOwn, let given = file.token_file {
            token = try read(ConfigFile.resolve(given, relativeTo: path), &warnings)
        } else if isOwn, let given = file.token {
            token = given
            warnOfReaders(path, &warnings)
        } else {
            token = LoginFile(of: base(url), environment).token()
        }
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw CLIError.usage("the server's URL has to start with http:// or https://, found \(url)")
        }
        let authorities =
            arguments["ca-file"] ?? variable("HAUL_CA_FILE")
            ?? file.ca_file.map { ConfigFile.resolve($0, relativeTo: path) }
        var settings = ServerSettings(base: base(url), token: token, authorities: authorities)
        settings.certificate =
            arguments["client-certificate"] ?? variable("HAUL_CLIENT_CERTIFICATE")
            ?? (isOwn ? file.client_certificate : nil).map { ConfigFile.resolve($0, relativeTo: path) }
        settings.key =
            arguments["client-key"] ?? variable("HAUL_CLIENT_KEY")
            ?? (isOwn ? file.client_key : nil).map { ConfigFile.resolve($0, relativeTo: path) }
        return (settings, warnings)
    }

    /// The variable whose token counts before that of a login, if one is set.
    static func overriding(_ environment: [String: String]) -> String? {
        ["HAUL_TOKEN", "HAUL_TOKEN_FILE"].first { environment[$0]?.isEmpty == false }
    }

    private static func base(_ url: String) -> String {
        var url = url
        while url.hasSuffix("/") { url.removeLast() }
        return url.hasSuffix(WirePath.root) ? url : url + WirePath.root
    }

    private static let source =
        "--token-file, HAUL_TOKEN_FILE or token_file in the config file names it; it holds what haul token add or hauld token "
        + "add printed"

    private static func read(_ path: String, _ warnings: inout [String]) throws -> String {
        let path = ConfigFile.resolve(path, relativeTo: "")
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            let cause = access(path, R_OK) == 0 ? "it is no text" : String(cString: strerror(errno))
            throw CLIError.usage("the token file \(path) cannot be read: \(cause)", hint: source)
        }
        warnOfReaders(path, &warnings)
        let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw CLIError.usage("the token file \(path) does not hold one line with a token", hint: source)
        }
        return token
    }

    private static func warnOfReaders(_ path: String, _ warnings: inout [String]) {
        var facts = stat()
        guard stat(path, &facts) == 0, facts.st_mode & 0o077 != 0, facts.st_mode & S_IFMT == S_IFREG else { return }
        warnings.append("others can read \(path), which holds a token: chmod 600 \(path)")
    }
}
