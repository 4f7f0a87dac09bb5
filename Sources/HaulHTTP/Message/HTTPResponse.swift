/// What a handler answers. `Date`, `Content-Length`, `Transfer-Encoding` and `Connection` are the server's to write; a
/// handler may only set `Connection: close`.
public struct HTTPResponse: Sendable {
    /// The content.
    public enum Body: Sendable {
        /// All of it, sent with its length.
        case bytes([UInt8])
        /// Written piece by piece after the head was sent, in chunks. An error thrown cuts the connection before the
        /// last chunk, so that the client can tell a broken answer from a whole one. Not called for HEAD.
        case stream(@Sendable (HTTPBodyWriter) async throws -> Void)
    }

    /// 200 to 599; anything else is sent as 500.
    public var status: Int
    /// The header fields. A name or a value that could break out of its line makes the answer a 500.
    public var headers: HTTPHeaders
    /// The content.
    public var body: Body

    /// An answer of a status, headers and a body.
    public init(status: Int = 200, headers: HTTPHeaders = [:], body: Body = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer of text; `contentType` is its `Content-Type`.
    public init(status: Int = 200, text: String, contentType: String = "text/plain; charset=utf-8") {
        self.init(status: status, headers: ["Content-Type": contentType], body: .bytes(Array(text.utf8)))
    }

    /// The bytes of a body that is not streamed, or nil.
    public var bytes: [UInt8]? {
        if case .bytes(let bytes) = body { bytes } else { nil }
    }
}
