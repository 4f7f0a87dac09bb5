import Synchronization

/// What a server speaks TLS with: both can be replaced while it runs, for connections that are made from then on.
final class ServerTLS: Sendable {
    private struct State {
        var certificate: ServerCertificate
        var authorities: ClientAuthorities?
    }

    private let files: HTTPServerConfiguration.TLS
    private let state: Mutex<State>

    init(_ files: HTTPServerConfiguration.TLS) throws(HTTPServerError) {
        self.files = files
        state = Mutex(try Self.load(files))
    }

    /// Reads the files again; where one of them is not usable all stays as it is.
    func reload() throws(HTTPServerError) {
        let fresh = try Self.load(files)
        state.withLock { $0 = fresh }
    }

    var certificate: ServerCertificate { state.withLock { $0.certificate } }

    /// Nil where clients are asked for no certificate.
    var authorities: ClientAuthorities? { state.withLock { $0.authorities } }

    private static func load(_ files: HTTPServerConfiguration.TLS) throws(HTTPServerError) -> State {
        State(
            certificate: try ServerCertificate(files),
            authorities: try files.clients.map { clients throws(HTTPServerError) in try ClientAuthorities(clients) })
    }
}
