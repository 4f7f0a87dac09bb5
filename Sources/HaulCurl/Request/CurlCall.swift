public import Foundation

/// One HTTP request, for ``CurlPool`` or ``CurlStream``. Never part of a log: headers and connection hold secrets.
public struct CurlCall: Sendable {
    /// What is sent.
    public enum Sent: Sendable {
        case nothing
        case bytes(Data)
        /// A file of this machine.
        case file(String)
        /// What passes through this process, with its length where that is known: a body that stops short is then an
        /// error of the request, for the server too. For ``CurlStream`` alone.
        case stream(length: Int?)
        /// The beginning of a body, which then stands still until the request is cancelled. For ``CurlPool`` alone.
        case halting(CurlHalt)
    }

    /// Where the answer's body goes.
    public enum Kept: Sendable {
        case nothing
        /// ``HTTPResponse/body``; more than so many bytes end the request with exit code 23.
        case memory(Int)
        /// A file of this machine, 0600 where it is made.
        case file(String)
        /// Through this process; an error's document does not. For ``CurlStream`` alone.
        case stream
    }

    /// `GET`, `PROPFIND`, ...
    public var method: String
    /// `http` or `https`, percent-encoded.
    public var url: String
    public var connection: CurlConnection
    /// `Name: value`; `Name:` keeps libcurl from sending one of its own.
    public var headers: [String] = []
    public var sent = Sent.nothing
    public var kept = Kept.nothing
    /// The first byte that is wanted of a body: nothing but the rest is taken then.
    public var from = 0
    public var followsRedirects = false
    /// Bytes/s at most, in either direction.
    public var bandwidth: Int?
    /// Seconds without a byte after which it is given up.
    public var stallSeconds: Int
    /// Names of the headers that are wanted in ``HTTPResponse/headers``.
    public var wanted: [String] = []

    public init(method: String, url: String, connection: CurlConnection, stallSeconds: Int) {
        self.method = method
        self.url = url
        self.connection = connection
        self.stallSeconds = max(1, stallSeconds)
    }

    /// Shows nothing of who asks.
    mutating func forgetLogin() {
        (connection.password, connection.bearer) = (nil, nil)
        headers.removeAll { line in ["authorization:", "cookie:"].contains { line.lowercased().hasPrefix($0) } }
    }

    /// Seconds for name lookup, TCP and TLS together.
    var connectSeconds: Int { min(10, stallSeconds) }

    /// The header lines as they are to be set: no type is made up for a body that has none.
    var lines: [String] {
        guard case .bytes = sent, !headers.contains(where: { $0.lowercased().hasPrefix("content-type:") }) else {
            return headers
        }
        return headers + ["Content-Type:"]
    }
}

/// What all requests to a site have in common. Two that are equal reach the same place with the same rights.
public struct CurlConnection: Equatable, Sendable {
    /// The URL of a proxy; nil for none, whatever the environment says.
    public var proxy: String?
    /// A PEM file of authorities to trust instead of the system's.
    public var authorities: String?
    /// `user:password`.
    public var password: String?
    public var bearer: String?

    public init() {}
}

extension CurlConnection: CustomStringConvertible, CustomReflectable {
    /// Whoever logs it by mistake tells no secret.
    public var description: String { "CurlConnection" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
