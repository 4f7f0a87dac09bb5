import Foundation

/// apache2 with WebDAV over a directory.
public enum Apache {
    /// Serves `root`, which is made writable for the server's user. What it writes is writable for everybody, so also
    /// for whoever started it.
    /// - Parameters:
    ///   - passwordFile: An `htpasswd` file; where given, nobody gets in without one of its users.
    ///   - dav: False for a server of plain, read-only HTTP.
    public static func start(root: String, passwordFile: String? = nil, dav: Bool = true) async throws -> WebServer {
        let executable = try WebServer.tool("apache2", package: "apache2")
        chmod(root, 0o777)
        return try await WebServer.start { folder in
            [executable, "-DFOREGROUND", "-f", folder + "/server.conf"]
        } configuration: { port, folder in
            // Its lock database is written by its own user.
            mkdir(folder + "/lock", 0o777)
            chmod(folder + "/lock", 0o777)
            return configuration(port, folder, root, passwordFile, dav)
        }
    }

    static func configuration(
        _ port: Int, _ folder: String, _ root: String, _ passwordFile: String?, _ dav: Bool
    ) -> String {
        let modules = [
            "mpm_event", "authn_core", "authn_file", "auth_basic", "authz_core", "authz_user", "dir", "dav", "dav_fs",
        ]
        let access =
            passwordFile.map {
                "AuthType Basic\n  AuthName haul\n  AuthBasicProvider file\n  AuthUserFile \"\($0)\"\n  Require valid-user"
            } ?? "Require all granted"
        return """
            ServerRoot "\(folder)"
            ServerName localhost
            Listen 127.0.0.1:\(port)
            PidFile "\(folder)/pid"
            ErrorLog "\(folder)/error.log"
            \(modules.map { "LoadModule \($0)_module /usr/lib/apache2/modules/mod_\($0).so" }.joined(separator: "\n"))
            \(getuid() == 0 ? "User www-data\nGroup www-data" : "")
            DocumentRoot "\(root)"
            DavLockDB "\(folder)/lock/db"
            DavDepthInfinity On
            LimitRequestBody 0
            LimitXMLRequestBody 0
            KeepAlive On
            MaxKeepAliveRequests 0
            StartServers 1
            <Directory />
              Options None
              AllowOverride None
              Dav \(dav ? "On" : "Off")
              \(access)
            </Directory>
            """
    }
}
