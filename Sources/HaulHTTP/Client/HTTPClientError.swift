import CCurl

/// Why there is no answer, or no whole one.
public struct HTTPClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of fault it is.
    public enum Kind: Sendable, Equatable {
        /// No connection: refused, unreachable, no such name.
        case connect
        /// The time for it, or for a byte of it, ran out.
        case timeout
        /// The other side's certificate or the handshake.
        case tls
        /// The task was cancelled.
        case cancelled
        /// The body is longer than `maxBody`.
        case tooLarge
        /// The connection ended before the answer did.
        case disconnected
        /// What came is no HTTP.
        case malformed
        /// A URL, method or header that can't be sent.
        case invalidRequest
        /// The client was closed.
        case closed
    }

    /// What kind of fault it is.
    public let kind: Kind
    /// What happened, without the request's headers or body.
    public let message: String

    /// An error of a kind.
    public init(kind: Kind, message: String) {
        self.kind = kind
        self.message = message
    }

    /// Whether the same request may do better later. The server may have acted on it all the same: only repeat what is
    /// safe to repeat.
    public var isRetryable: Bool {
        switch kind {
        case .connect, .timeout, .disconnected: true
        case .tls, .cancelled, .tooLarge, .malformed, .invalidRequest, .closed: false
        }
    }

    /// The message.
    public var description: String { message }

    init(code: CURLcode, detail: String) {
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        let kind: Kind =
            switch code {
            case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY,
                CURLE_INTERFACE_FAILED:
                .connect
            case CURLE_OPERATION_TIMEDOUT: .timeout
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
                CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_PINNEDPUBKEYNOTMATCH:
                .tls
            case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT: .invalidRequest
            case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE: .disconnected
            default: .malformed
            }
        self.init(kind: kind, message: text)
    }
}
