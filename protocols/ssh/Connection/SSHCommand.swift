import HaulProtocol

/// The arguments that ssh is started with: nothing of the machine's or the user's configuration counts, nothing is
/// asked, and only a pinned host key and the given key are good.
enum SSHCommand {
    /// Seconds for the TCP connection.
    static let connectTimeout = 15

    static func arguments(_ site: SSHSite, _ endpoint: Endpoint, knownHosts: String) -> [String] {
        let options: [(name: String, value: String)] = [
            ("BatchMode", "yes"), ("StrictHostKeyChecking", "yes"), ("UserKnownHostsFile", quoted(knownHosts)),
            ("GlobalKnownHostsFile", "/dev/null"), ("UpdateHostKeys", "no"), ("VerifyHostKeyDNS", "no"),
            ("CheckHostIP", "no"), ("IdentitiesOnly", "yes"), ("IdentityFile", quoted(site.identity)),
            ("IdentityAgent", "none"), ("PreferredAuthentications", "publickey"), ("ServerAliveInterval", "15"),
            ("ServerAliveCountMax", "3"), ("ConnectTimeout", String(connectTimeout)), ("ConnectionAttempts", "1"),
            ("Compression", "no"), ("Ciphers", site.ciphers), ("ForwardAgent", "no"), ("ForwardX11", "no"),
            ("ClearAllForwardings", "yes"), ("PermitLocalCommand", "no"), ("RequestTTY", "no"),
            ("EscapeChar", "none"), ("ControlMaster", "no"), ("ControlPath", "none"), ("LogLevel", "INFO"),
        ]
        return ["-F", "/dev/null"] + options.flatMap { ["-o", "\($0.name)=\($0.value)"] }
            + (site.user.map { ["-l", $0] } ?? [])
            + ["-p", String(endpoint.port), "-s", "--", endpoint.host, "sftp"]
    }

    /// A path as ssh_config(5) reads one value: blanks kept, `%` no token, `~` at the start no home.
    private static func quoted(_ path: String) -> String {
        let escaped = path.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("%", with: "%%")
        return "\"\(path.hasPrefix("/") ? escaped : "./" + escaped)\""
    }
}
