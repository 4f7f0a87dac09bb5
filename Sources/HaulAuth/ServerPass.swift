import HaulCrypto
public import HaulHTTP
public import HaulModel
import Synchronization

/// What the servers of a database show each other: a keyed hash over the whole request and whom it is meant for, good for
/// a minute and once. The key is a secret in the database's settings; it never travels.
///
///     Authorization: Haul-Server TO.RUN.TIME.NONCE.BODY.MAC
///
/// TO and RUN name the server that is asked and its present run, TIME is milliseconds since 1970, NONCE 16 random bytes,
/// BODY the SHA-256 of the body; MAC covers all of these, the method, the path and the query.
public final class ServerPass: Sendable {
    private static let scheme = "Haul-Server"
    /// Seconds for which one is good, and by which clocks may differ.
    private static let lifetime = 60.0
    /// Passes that are remembered of each of two spans.
    private static let remembered = 1 << 20

    /// Passes that were used, in two spans of a lifetime on either side of the clock.
    private struct Used {
        var current: Set<String> = []
        var before: Set<String> = []
        var began = Timestamp(milliseconds: 0)
    }

    private let key: [UInt8]
    private let own: KnownServer
    private let now: @Sendable () -> Timestamp
    private let used = Mutex(Used())

    /// - Parameters:
    ///   - key: 32 bytes that the servers of a database share.
    ///   - own: this server.
    public init(key: [UInt8], own: KnownServer, now: @escaping @Sendable () -> Timestamp) {
        self.key = key
        self.own = own
        self.now = now
    }

    /// The value of `Authorization` for a request to another server.
    ///
    /// - Parameter query: as it stands in the URL, decoded.
    public func header(
        for server: KnownServer, method: String, path: String, query: [(name: String, value: String)], body: [UInt8]
    ) -> String {
        let claims = [
            "\(server.id)", server.run, "\(now().milliseconds)", Text.hex(Random.bytes(16)),
            Text.hex(Hash.sha256(body)),
        ].joined(separator: ".")
        return "\(Self.scheme) \(claims).\(mac(claims, method, path, query))"
    }

    /// Whether a request's head was made by one of us, for this run of this server, just now. Its body and whether it
    /// comes again are not looked at: enough to read the body, not to do what it asks for.
    public func isGenuine(_ head: HTTPRequestHead) -> Bool { claims(of: head) != nil }

    /// Whether to do what a request asks for: it is genuine, its body is the one that was sent, and it never came before.
    public func admits(_ request: HTTPRequest) -> Bool {
        guard let claims = claims(of: request.head),
            Hash.equal(Array(Text.hex(Hash.sha256(request.body)).utf8), Array(claims.body.utf8))
        else { return false }
        let now = now()
        return used.withLock { used in
            // Twice the lifetime: a pass may be made by a clock that is ahead.
            if now.seconds(since: used.began) > 2 * Self.lifetime {
                used.before = used.current
                used.current = []
                used.began = now
            }
            guard used.current.count < Self.remembered, !used.before.contains(claims.nonce) else { return false }
            return used.current.insert(claims.nonce).inserted
        }
    }

    private func claims(of head: HTTPRequestHead) -> (nonce: String, body: String)? {
        guard let words = head.headers["Authorization"]?.split(separator: " "), words.count == 2,
            words[0] == Self.scheme
        else { return nil }
        let parts = words[1].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[0] == "\(own.id)", parts[1] == own.run, let time = Int(parts[2]) else {
            return nil
        }
        let expected = mac(parts[..<5].joined(separator: "."), head.method, head.path, head.query)
        guard Hash.equal(Array(expected.utf8), Array(parts[5].utf8)),
            abs(now().seconds(since: Timestamp(milliseconds: time))) <= Self.lifetime
        else { return nil }
        return (parts[3], parts[4])
    }

    private func mac(
        _ claims: String, _ method: String, _ path: String, _ query: [(name: String, value: String)]
    ) -> String {
        let pairs = query.map { "\($0.name.utf8.count):\($0.name)=\($0.value.utf8.count):\($0.value)" }
        let text = (["server-request", claims, method, path] + pairs).joined(separator: "\n")
        return Text.hex(Hash.keyed(Array(text.utf8), key: key))
    }
}
