/// The hosts that a worker may be made to talk to: `hosts` of its configuration, and of the batches that it gives to backends.
/// In JSON a list of texts.
///
/// A line of it is `HOST` or `*.DOMAIN`, any port; or the same with `:PORT`. Names are compared as they stand in a site's
/// endpoints: what an address book makes of them is for those to say who are trusted with the name.
public struct HostList: Sendable, Hashable {
    private struct Entry: Sendable, Hashable {
        var host: String
        /// Nil is any.
        var port: Int?
        /// The domain's hosts, at any depth, without the domain itself.
        var isDomain: Bool
    }

    /// As it was written.
    public let texts: [String]
    private let entries: [Entry]

    /// - Returns: nil where one of them is none.
    public init?(_ texts: [String]) {
        var entries: [Entry] = []
        for text in texts {
            let isDomain = text.hasPrefix("*.")
            let rest = isDomain ? String(text.dropFirst(2)) : text
            guard !rest.contains("*"), Site.isEndpoint(rest) else { return nil }
            let (host, port) = Site.hostAndPort(rest)
            entries.append(Entry(host: Self.plain(host), port: port.flatMap { Int($0) }, isDomain: isDomain))
        }
        (self.texts, self.entries) = (texts, entries)
    }

    /// - Parameters:
    ///   - endpoint: `HOST:PORT`. Without a port it is that of its protocol, which only an entry without one covers.
    public func admits(_ endpoint: String) -> Bool {
        guard Site.isEndpoint(endpoint) else { return false }
        let (name, given) = Site.hostAndPort(endpoint)
        let (host, port) = (Self.plain(name), given.flatMap { Int($0) })
        return entries.contains { entry in
            guard entry.port == nil || entry.port == port else { return false }
            return entry.isDomain ? host.hasSuffix("." + entry.host) : host == entry.host
        }
    }

    /// Why a worker does not go there; nil where it does.
    public func problem(_ endpoint: String) -> String? {
        admits(endpoint)
            ? nil : "\(endpoint) is none of the hosts that this worker may talk to (`hosts` of its configuration)"
    }

    /// Names in one case and without the root's dot.
    private static func plain(_ host: Substring) -> String {
        let name = host.lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }
}

extension HostList: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let list = HostList(try container.decode([String].self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "an entry names no host")
        }
        self = list
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(texts)
    }
}
