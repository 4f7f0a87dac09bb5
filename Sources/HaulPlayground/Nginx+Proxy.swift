extension Nginx {
    /// nginx before a haul server, as README has it: what is below `/haul/` goes to `server` (`http://HOST:PORT`).
    ///
    /// - Parameter certificate: PEM files of a certificate and its key, where it speaks HTTPS.
    public static func proxy(
        to server: String, certificate: (path: String, key: String)? = nil
    ) async throws -> WebServer {
        let tls = certificate.map { "ssl_certificate \"\($0.path)\"; ssl_certificate_key \"\($0.key)\";" } ?? ""
        return try await start { port in
            """
            listen 127.0.0.1:\(port)\(tls.isEmpty ? "" : " ssl");
            \(tls)
            location /haul/ {
              proxy_pass \(server)/;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
              proxy_read_timeout 1h;
              proxy_request_buffering off;
              client_max_body_size 0;
            }
            """
        }
    }
}
