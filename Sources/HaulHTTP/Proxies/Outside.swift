/// The server as a client sees it: what absolute URLs in answers begin with. Trusted proxies say where they stand in
/// `X-Forwarded-Proto`, `-Host` and `-Prefix`, or in `Forwarded` (which has no prefix); nobody else is asked.
public struct Outside: Sendable, Hashable {
    /// `http` or `https`.
    public var scheme = "http"
    /// `Host`, as the client knows it: a name or an address, maybe with a port.
    public var host = "localhost"
    /// What stands before the server's own paths: empty, or `/haul`.
    public var prefix = ""

    /// `https://transfers.example.org/haul`.
    public var base: String { "\(scheme)://\(host)\(prefix)" }

    /// `http://localhost`.
    public init() {}

    init(_ headers: HTTPHeaders, isTLS: Bool, proxies: TrustedProxies?, peer: String) {
        func said(_ name: String, _ isGood: (Substring) -> Bool) -> String? {
            proxies?.said(name, in: headers, peer: peer).flatMap { isGood($0) ? String($0) : nil }
        }
        scheme =
            said("Proto") { ["http", "https"].contains($0.lowercased()) }?.lowercased() ?? (isTLS ? "https" : "http")
        let own = headers["Host"].map { Substring($0) }.flatMap { Self.isHost($0) ? String($0) : nil }
        host = said("Host", Self.isHost) ?? own ?? host
        prefix = said("Prefix", Self.isPrefix) ?? ""
        while prefix.hasSuffix("/") { prefix.removeLast() }
    }

    /// A name, an IPv4 address, or an IPv6 address in brackets, maybe with a port (RFC 3986, 3.2.2): nothing that could
    /// end it in a URL.
    private static func isHost(_ text: Substring) -> Bool {
        (1...300).contains(text.utf8.count) && text.utf8.allSatisfy { isPlain($0) || "[]:".utf8.contains($0) }
    }

    private static func isPrefix(_ text: Substring) -> Bool {
        text.utf8.count <= 300 && text.hasPrefix("/") && !text.hasPrefix("//")
            && text.utf8.allSatisfy { isPlain($0) || "/~%".utf8.contains($0) }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._".utf8.contains(byte)
        }
    }
}
