import Foundation

/// nginx with its WebDAV modules over a directory: no listing deeper than one level, and a slash for collections.
public enum Nginx {
    /// Serves `root`, which is made writable for everybody, as is what the server writes.
    public static func start(root: String) async throws -> WebServer {
        chmod(root, 0o777)
        return try await start(module: "ngx_http_dav_ext_module") { port in
            """
            listen 127.0.0.1:\(port);
            root "\(root)";
            location / {
              dav_methods PUT DELETE MKCOL COPY MOVE;
              dav_ext_methods PROPFIND OPTIONS;
              dav_access user:rw group:rw all:rw;
            }
            """
        }
    }

    /// A server of its own in the foreground, all of whose files stand in its temporary folder.
    ///
    /// - Parameter server: what stands in the `server` block, by its port.
    static func start(
        module: String? = nil, server: @escaping @Sendable (_ port: Int) -> String
    ) async throws -> WebServer {
        let executable = try WebServer.tool("nginx", package: "nginx-extras")
        return try await WebServer.start { folder in
            [executable, "-c", folder + "/server.conf", "-p", folder, "-e", folder + "/error.log"]
        } configuration: { port, folder in
            let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map {
                "\($0)_temp_path \"\(folder)/\($0)\";"
            }
            return """
                \(module.map { "load_module /usr/lib/nginx/modules/\($0).so;" } ?? "")
                daemon off;
                \(getuid() == 0 ? "user root;" : "")
                pid "\(folder)/pid";
                error_log "\(folder)/error.log";
                events { worker_connections 512; }
                http {
                  access_log off;
                  client_max_body_size 0;
                  \(temporary.joined(separator: "\n  "))
                  server {
                \(server(port))
                  }
                }
                """
        }
    }
}
