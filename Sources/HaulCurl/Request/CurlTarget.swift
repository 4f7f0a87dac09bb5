import CCurl
import HaulModel

/// Where a URL leads, read by libcurl itself: who read it otherwise than the one that connects could be led past a list of
/// hosts.
struct CurlTarget: Equatable, Sendable {
    /// `HOST:PORT`, an IPv6 address in brackets; the port is always there.
    let endpoint: String
    /// `http://HOST:PORT`, which tells servers apart.
    let origin: String
    /// Without a login and a fragment; what no URL may hold is percent-encoded.
    let url: String

    /// - Returns: nil for what is no URL of HTTP.
    init?(_ text: String) {
        guard let parts = curl_url() else { return nil }
        defer { curl_url_cleanup(parts) }
        let flags = UInt32(CURLU_URLENCODE | CURLU_PATH_AS_IS)
        guard curl_url_set(parts, CURLUPART_URL, text, flags) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: parts), ["http", "https"].contains(scheme),
            let host = Self.part(CURLUPART_HOST, of: parts),
            let port = Self.part(CURLUPART_PORT, of: parts, UInt32(CURLU_DEFAULT_PORT))
        else { return nil }
        for secret in [CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_FRAGMENT] { curl_url_set(parts, secret, nil, 0) }
        guard let url = Self.part(CURLUPART_URL, of: parts, UInt32(CURLU_PATH_AS_IS)) else { return nil }
        endpoint = host + ":" + port
        origin = scheme + "://" + endpoint.lowercased()
        self.url = url
    }

    private static func part(_ part: CURLUPart, of parts: OpaquePointer, _ flags: UInt32 = 0) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parts, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}

extension HostList {
    /// Why a request does not go to a URL; nil where it does.
    func problem(url: String) -> String? {
        guard let target = CurlTarget(url) else { return "\(url.prefix(300)) is no URL of HTTP" }
        return problem(target.endpoint)
    }
}
