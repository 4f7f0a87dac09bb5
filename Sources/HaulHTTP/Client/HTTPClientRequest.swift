/// A request to send. Secrets go into `headers`, never into `url`.
public struct HTTPClientRequest: Sendable {
    /// `GET`, `POST`, ...
    public var method: String
    /// Absolute, `http` or `https`, percent-encoded by whoever made it.
    public var url: String
    /// `Host`, `Content-Length` and the like are added.
    public var headers: HTTPHeaders
    /// The content; sent with a length, also when empty, unless the method is GET or HEAD.
    public var body: [UInt8]
    /// Seconds for all of it; nil leaves it to the client's configuration.
    public var timeout: Double?
    /// Seconds without a byte after which it fails; nil waits on. Leave nil for a long poll.
    public var idleTimeout: Double?
    /// Bytes that a body read into memory may have.
    public var maxBody: Int

    /// A request; see the properties.
    public init(
        method: String = "GET", url: String, headers: HTTPHeaders = [:], body: [UInt8] = [], timeout: Double? = nil,
        idleTimeout: Double? = nil, maxBody: Int = 64 * 1024 * 1024
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.idleTimeout = idleTimeout
        self.maxBody = maxBody
    }
}

/// What a server answered; any status is an answer, none is an error.
public struct HTTPClientResponse: Sendable {
    /// The status code. Redirects are not followed.
    public var status: Int
    /// The header fields.
    public var headers: HTTPHeaders
    /// The content; empty where it was streamed.
    public var body: [UInt8]

    /// An answer, as a test's double may make it.
    public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }
}
