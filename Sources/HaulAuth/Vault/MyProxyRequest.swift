/// A wish for a proxy from a MyProxy server.
public struct MyProxyRequest: Sendable, Hashable {
    /// `HOST:PORT`.
    public var server: String
    /// The name under which the credential is stored there.
    public var username: String
    public var passphrase: String
    /// For which the proxy shall be good.
    public var hours: Int

    /// - Returns: nil for what no command line should have in it.
    public init?(server: String, username: String, passphrase: String, hours: Int) {
        let isPlain = username.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } && !username.hasPrefix("-")
        let isLine = passphrase.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        guard isPlain, isLine, (1...256).contains(username.utf8.count), (1...1024).contains(passphrase.utf8.count)
        else { return nil }
        self.server = server
        self.username = username
        self.passphrase = passphrase
        self.hours = hours
    }
}

/// Asks MyProxy servers for proxies.
public protocol MyProxy: Sendable {
    /// Those that may be asked, `HOST:PORT`; the first one where nobody says which.
    var servers: [String] { get }
    /// The proxy in PEM, with its key.
    ///
    /// - Throws: ``MyProxyRefusal``.
    func logon(_ request: MyProxyRequest) async throws -> [UInt8]
}

/// Why there is no proxy.
public enum MyProxyRefusal: Error, Sendable, Hashable {
    /// What the server said, in a line.
    case refused(String)
    /// It did not come to that: nobody answered, or the one who did is not to be trusted. In a line.
    case unanswered(String)
    /// Too many ask at once.
    case busy
    /// A fault of ours: for the log.
    case fault(String)
}
