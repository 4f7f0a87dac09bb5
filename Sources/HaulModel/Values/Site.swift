/// A storage place with an id.
public struct Site: Sendable, Hashable {
    /// What jobs name it by.
    public var id: Int
    /// What people name it by: letters, digits, `-`, `_`, `.`.
    public var name: String
    public var protocolName: ProtocolName
    /// `host:port`; several serve the same files.
    public var endpoints: [String]
    /// What its protocol wants to know of a site (`site_options` of the manifest).
    public var options: [String: JSONValue]
    /// The topmost path as jobs name it, which a REMOVE spares unless confirmed.
    public var root: String?
    /// Elements that may be with workers at once.
    public var limits: Limits
    /// Who may name it in jobs.
    public var access: SiteAccess

    /// How many elements of a site may be with workers at once; nil is any number.
    public struct Limits: Sendable, Hashable {
        /// As their destination.
        public var into: Int?
        /// As their source.
        public var out: Int?

        public init(into: Int? = nil, out: Int? = nil) {
            self.into = into
            self.out = out
        }

        public subscript(direction: SiteUse.Direction) -> Int? { direction == .into ? into : out }
    }

    public init(
        id: Int, name: String, protocolName: ProtocolName, endpoints: [String], options: [String: JSONValue] = [:],
        root: String? = nil, limits: Limits = Limits(), access: SiteAccess = SiteAccess()
    ) {
        self.id = id
        self.name = name
        self.protocolName = protocolName
        self.endpoints = endpoints
        self.options = options
        self.root = root
        self.limits = limits
        self.access = access
    }

    /// Letters, digits, `-`, `_`, `.`, up to 64 of them; no number, which would be an id.
    public static func isName(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count) && Int(name) == nil
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || ".-_".utf8.contains(byte)
            }
    }

    /// `HOST:PORT`, `[ADDRESS]:PORT`, or `HOST` alone.
    public static func isEndpoint(_ text: String) -> Bool {
        guard (1...300).contains(text.utf8.count), let first = text.utf8.first, first != UInt8(ascii: "-") else {
            return false
        }
        let (host, port) = hostAndPort(text)
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"/?#@\\\"'[]".utf8.contains($0) })
        else { return false }
        guard let port else { return true }
        return (1...5).contains(port.utf8.count) && port.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && (1...65_535).contains(Int(port) ?? 0)
    }

    /// The two parts of an endpoint; the address in brackets without them.
    public static func hostAndPort(_ endpoint: String) -> (host: Substring, port: Substring?) {
        let text = Substring(endpoint)
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            let rest = text[text.index(after: end)...]
            let host = text[text.index(after: text.startIndex)..<end]
            return (host, rest.isEmpty ? nil : rest.hasPrefix(":") ? rest.dropFirst() : rest)
        }
        guard let colon = text.lastIndex(of: ":") else { return (text, nil) }
        return (text[..<colon], text[text.index(after: colon)...])
    }
}
