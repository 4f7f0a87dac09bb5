/// What is known of a request before its body: enough to decide how large the body may be.
public struct HTTPRequestHead: Sendable {
    /// As sent, in capitals by custom: `GET`, `POST`.
    public var method: String
    /// The path of the target as sent, percent-encoding kept, without the query.
    public var path: String
    /// The path's segments, each percent-decoded on its own, so that `%2F` stays within its segment. A slash at the end
    /// adds none; `/` has none.
    public var pathSegments: [String]
    /// The query's pairs in order, percent-decoded, `+` read as a space.
    public var query: [(name: String, value: String)]
    /// The path or the query held a broken escape or bytes that are no UTF-8 (read as U+FFFD): a handler answers 400.
    public var hasInvalidEncoding: Bool
    /// The header fields.
    public var headers: HTTPHeaders
    /// The client's numeric address, without its port; behind trusted proxies the one that they name.
    public var remoteAddress: String
    /// The server as the client sees it, maybe through trusted proxies: for absolute URLs.
    public var outside = Outside()
    /// The subject of the client's certificate (RFC 4514), where it showed one, the server asks for them, and it is good.
    public var clientSubject: String?

    /// The head of a request for `target` (path and query, as on a request line).
    public init(method: String, target: String, headers: HTTPHeaders = [:], remoteAddress: String = "") {
        let parts = RequestTarget(target)
        self.init(method: method, target: parts, headers: headers, remoteAddress: remoteAddress)
    }

    init(method: String, target: RequestTarget, headers: HTTPHeaders, remoteAddress: String) {
        self.method = method
        path = target.path
        pathSegments = target.segments
        query = target.query
        hasInvalidEncoding = target.isMalformed || target.hasNUL
        self.headers = headers
        self.remoteAddress = remoteAddress
    }

    /// The first value of a query parameter; "" for one without `=`.
    public func query(_ name: String) -> String? {
        query.first { $0.name == name }?.value
    }
}

/// A whole request: its head and its body.
public struct HTTPRequest: Sendable {
    /// All but the body.
    public var head: HTTPRequestHead
    /// The body, transfer coding removed; empty when there is none.
    public var body: [UInt8]

    /// A request of a head and a body.
    public init(head: HTTPRequestHead, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }

    /// A request for `target` (path and query, as on a request line).
    public init(
        method: String, target: String, headers: HTTPHeaders = [:], body: [UInt8] = [], remoteAddress: String = ""
    ) {
        let head = HTTPRequestHead(method: method, target: target, headers: headers, remoteAddress: remoteAddress)
        self.init(head: head, body: body)
    }

    /// See `HTTPRequestHead.method`.
    public var method: String {
        get { head.method }
        set { head.method = newValue }
    }

    /// See `HTTPRequestHead.path`.
    public var path: String {
        get { head.path }
        set { head.path = newValue }
    }

    /// See `HTTPRequestHead.pathSegments`.
    public var pathSegments: [String] {
        get { head.pathSegments }
        set { head.pathSegments = newValue }
    }

    /// See `HTTPRequestHead.query`.
    public var query: [(name: String, value: String)] {
        get { head.query }
        set { head.query = newValue }
    }

    /// See `HTTPRequestHead.headers`.
    public var headers: HTTPHeaders {
        get { head.headers }
        set { head.headers = newValue }
    }

    /// See `HTTPRequestHead.remoteAddress`.
    public var remoteAddress: String { head.remoteAddress }

    /// See `HTTPRequestHead.hasInvalidEncoding`.
    public var hasInvalidEncoding: Bool { head.hasInvalidEncoding }

    /// The first value of a query parameter; "" for one without `=`.
    public func query(_ name: String) -> String? { head.query(name) }
}
