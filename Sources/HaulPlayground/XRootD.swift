import Foundation

/// An XRootD server over a directory: anonymous, with checksums and copies from server to server.
public enum XRootD {
    /// Serves `root`, which is made writable for the server's user: xrootd refuses to be root, so it is `nobody` then.
    /// - Parameters:
    ///   - port: A port of one's own choice, for a server that comes back where another was.
    ///   - more: Further lines of its configuration.
    public static func start(root: String, port: Int? = nil, more: String = "") async throws -> WebServer {
        let executable = try WebServer.tool("xrootd", package: "xrootd-server")
        let copier = try WebServer.tool("xrdcp", package: "xrootd-client")
        chmod(root, 0o777)
        return try await WebServer.start(port: port) { folder in
            // Without -b it stays in the foreground.
            [executable, "-c", folder + "/server.conf", "-I", "v4"] + (getuid() == 0 ? ["-R", "nobody"] : [])
        } configuration: { port, folder in
            for own in ["admin", "run"] {
                mkdir("\(folder)/\(own)", 0o777)
                chmod("\(folder)/\(own)", 0o777)
            }
            return """
                xrd.port \(port)
                xrd.network nodnr
                all.export /
                oss.localroot \(root)
                all.adminpath \(folder)/admin
                all.pidpath \(folder)/run
                ofs.tpc pgm \(copier) --server
                xrootd.chksum max 4 md5 adler32 crc32c
                \(more)

                """
        }
    }
}
