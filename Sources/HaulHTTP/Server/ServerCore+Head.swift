extension ServerCore {
    /// What a request is refused with for its head alone, before anyone is asked, or nil.
    func refusal(of head: HTTPRequestHead, hasNUL: Bool, _ certificate: ClientCertificate) -> HTTPResponse? {
        if isStopping { return stoppingAnswer(head) }
        // libmicrohttpd lets everyone through the handshake.
        if case .bad(let reason) = certificate {
            return errorBody(403, "the client's certificate is not good: \(reason)", head)
        }
        if hasNUL { return errorBody(400, "the target holds a NUL", head) }
        // "Content-Length : 3" is one to a lenient proxy and none to us: requests are smuggled so (RFC 9112, 5.1).
        guard head.headers.areWellFormed else {
            return errorBody(400, "a header field's name is no token, or its value holds a control character", head)
        }
        // Two framings of one body are how requests are smuggled past a proxy (RFC 9112, 6.3 and 11.2).
        let lengths = head.headers.all("Content-Length")
        let codings = head.headers.all("Transfer-Encoding")
        if lengths.count > 1 { return errorBody(400, "more than one Content-Length", head) }
        if !codings.isEmpty {
            if !lengths.isEmpty { return errorBody(400, "both Content-Length and Transfer-Encoding", head) }
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                return errorBody(501, "a Transfer-Encoding other than chunked", head)
            }
        }
        guard let text = lengths.first, !Self.isNumber(text) else { return nil }
        return errorBody(400, "a Content-Length that is no number", head)
    }

    /// Whether a body follows such a head.
    static func hasBody(_ head: HTTPRequestHead) -> Bool {
        if head.headers["Transfer-Encoding"] != nil { return true }
        return head.headers["Content-Length"].map { Int($0) != 0 } ?? false
    }

    /// What an admitted request is refused with for the length that it announces, or nil.
    func refusal(ofLength head: HTTPRequestHead, limit: Int) -> HTTPResponse? {
        guard let text = head.headers["Content-Length"] else { return nil }
        guard let length = Int(text), length <= limit else { return tooLong(limit, head) }
        return hasRoom(for: length) ? nil : overBudget(head)
    }

    func tooLong(_ limit: Int, _ head: HTTPRequestHead) -> HTTPResponse {
        errorBody(413, "the body is longer than \(limit) bytes", head)
    }

    /// What is answered where libmicrohttpd gives a request up.
    /// - Parameters:
    ///   - status: what libmicrohttpd would answer.
    ///   - head: where it was in: the body is at fault.
    ///   - length: the head's Content-Length, where that much was read.
    func failure(_ status: Int, _ head: HTTPRequestHead?, length: String?) -> HTTPResponse {
        let isInBody = head != nil
        func errorBody(_ status: Int, _ reason: String) -> HTTPResponse { self.errorBody(status, reason, head) }
        if let length, !isInBody, status == 400, !Self.isNumber(length) {
            return errorBody(400, "a Content-Length that is no number")
        }
        return switch status {
        case 400:
            errorBody(400, isInBody ? "the body's chunks are malformed" : "the request line or a header is malformed")
        case 413: errorBody(413, isInBody ? "a chunk of the body is too long" : "the Content-Length is too large")
        case 414: errorBody(414, "the request line is longer than \(configuration.headerLimit) bytes")
        case 431: errorBody(431, "the header is longer than \(configuration.headerLimit) bytes")
        // Its words for a line inside a chunked body that never ends.
        case 500 where isInBody: errorBody(400, "a line between the body's chunks is too long")
        case 505: errorBody(505, "the HTTP version is not 1.0 or 1.1")
        default: errorBody(status, "the request can't be processed")
        }
    }

    static func isNumber(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
