/// How an `HTTPClient` connects. Times are seconds.
public struct HTTPClientConfiguration: Sendable {
    /// Time for name lookup, TCP and TLS together.
    public var connectTimeout = 10.0
    /// Time for a whole exchange where its request says nothing; nil is unlimited.
    public var timeout: Double?
    /// A PEM file of authorities to trust instead of the system's.
    public var authoritiesPath: String?
    /// PEM files of a certificate to show to servers that ask for one, and of its key.
    public var certificatePath: String?
    public var keyPath: String?
    /// Connections kept open for later requests.
    public var idleConnections = 32
    /// `User-Agent`, where a request has none of its own.
    public var userAgent = "haul"
    /// A proxy's URL; nil uses none, whatever the environment says.
    public var proxy: String?

    /// The defaults.
    public init() {}
}
