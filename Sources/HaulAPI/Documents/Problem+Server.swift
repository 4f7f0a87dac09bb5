public import HaulHTTP
import HaulWire

extension Problem {
    /// What the HTTP server refuses before any dialect sees it.
    init(status: Int, reason: String) {
        let (title, code, hint) =
            switch status {
            case 400: ("Bad request", "bad_request", "Correct the request and send it again; nothing was done.")
            case 408:
                ("Request timeout", "timeout", "Send the whole request sooner, or less in one; nothing was done.")
            case 413: ("Too large", "too_large", "Send less in one request; nothing was done.")
            case 414: ("URI too long", "uri_too_long", "Shorten the path or the query; nothing was done.")
            case 431: ("Header too large", "header_too_large", "Send fewer or shorter fields; nothing was done.")
            case 501:
                ("Not implemented", "not_implemented", "Send the body with a Content-Length, or in chunks.")
            case 503: ("Unavailable", "busy", "Send the request again after as many seconds as Retry-After says.")
            case 505: ("HTTP version not supported", "http_version", "Speak HTTP/1.1.")
            default: ("Server error", "fault", "Tell the operators when it happened: their log says why.")
            }
        self.init(
            ProblemDocument(
                status: status, title: title, code: code, detail: Self.sentence(reason), hint: hint))
    }

    /// A reason in a few words as a sentence.
    static func sentence(_ words: String) -> String {
        words.prefix(1).uppercased() + words.dropFirst() + "."
    }
}

extension HTTPResponse {
    /// The answer to what the HTTP server refuses before any dialect sees it: 400, 408, 413, 414, 431, 503 ...
    /// - Parameter reason: what is wrong in a few words, without a capital and a full stop.
    public static func problem(status: Int, reason: String) -> HTTPResponse {
        Problem(status: status, reason: reason).response
    }

    /// The answer to a path that no dialect has: 404.
    public static func noSuchRoute(_ request: HTTPRequest) -> HTTPResponse { Problem.notFound(request).response }

    /// The answer to a path that takes other methods: 405 with `Allow`.
    public static func wrongMethod(_ request: HTTPRequest, allowed: [String]) -> HTTPResponse {
        Problem.methodNotAllowed(request, allowed).response
    }
}
