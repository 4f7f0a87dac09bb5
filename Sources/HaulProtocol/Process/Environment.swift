import Foundation

/// The part of this process's environment that children get: an allow-list, because what a worker was started with
/// may hold its tokens.
public enum Environment {
    static let names: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE",
        "SSL_CERT_DIR", "X509_CERT_DIR",
    ]

    /// What is allowed of this process's own environment; `PATH` is always there.
    public static let allowed: [String: String] = {
        var environment = ProcessInfo.processInfo.environment.filter { names.contains($0.key) }
        environment["PATH"] = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        return environment
    }()
}

/// Tools by name, as `PATH` finds them.
public enum ToolPath {
    /// The first executable file of that name; a name with a slash is taken as it is.
    public static func find(_ name: String, path: String? = Environment.allowed["PATH"]) -> String? {
        if name.utf8.contains(UInt8(ascii: "/")) { return isExecutable(name) ? name : nil }
        return (path ?? "").split(separator: ":").lazy.map { "\($0)/\(name)" }.first(where: isExecutable)
    }

    static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }
}
