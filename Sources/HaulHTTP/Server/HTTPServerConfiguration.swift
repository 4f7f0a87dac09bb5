/// How an `HTTPServer` listens and what it lets a client do. Times are seconds, sizes bytes.
public struct HTTPServerConfiguration: Sendable {
    /// A certificate and its key, PEM files.
    public struct TLS: Sendable {
        /// The certificate, followed by those between it and the root.
        public var certificatePath: String
        /// Its private key.
        public var keyPath: String

        /// Who may sign clients' certificates; nil: clients are asked for none.
        public var clients: Clients?

        /// The files' paths.
        public init(certificatePath: String, keyPath: String, clients: Clients? = nil) {
            self.certificatePath = certificatePath
            self.keyPath = keyPath
            self.clients = clients
        }
    }

    /// Whose word on clients is taken. A client without a certificate is let in all the same; one with a certificate that is
    /// not good is answered 403, whatever it asks for.
    public struct Clients: Sendable {
        /// A PEM file of authorities.
        public var authoritiesPath: String
        /// A PEM file of their lists of revoked certificates.
        public var revokedPath: String?

        /// The files' paths.
        public init(authoritiesPath: String, revokedPath: String? = nil) {
            self.authoritiesPath = authoritiesPath
            self.revokedPath = revokedPath
        }
    }

    /// A numeric address or a name to listen on; `::` is every address, IPv4 too.
    public var host: String
    /// 0 takes any that is free; `HTTPServer.port` says which.
    public var port: Int
    /// Connections at once; more wait in the kernel's queue until one ends. Less where the process may not have as many
    /// descriptors.
    public var connectionLimit = 4096
    /// Memory of one connection for its head and buffers; a longer head is answered 431, a longer
    /// request line 414.
    public var headerLimit = 32 * 1024
    /// A connection on which nothing moves for so long is closed, whether it waits for a request or for its client to read.
    public var idleTimeout = 60.0
    /// A request's head and body have to arrive within this, however steadily they drip; else 408.
    public var requestDeadline = 60.0
    /// Threads that read and write sockets; handlers run on Swift's own.
    public var threads = 2
    /// Request bodies held in memory over all connections; past it 503 with `Retry-After`.
    public var bodyBudget = 256 * 1024 * 1024
    /// HTTPS with this certificate; nil is plain HTTP.
    public var tls: TLS?
    /// Whose word on where a request came from is taken; nil: nobody's.
    public var proxies: TrustedProxies?

    /// Defaults, on a host and a port.
    public init(host: String = "127.0.0.1", port: Int = 0) {
        self.host = host
        self.port = port
    }
}
