public import Foundation
public import HaulHTTP
import HaulProtocol

/// A self-signed certificate for 127.0.0.1 and its key, in a folder of their own that goes with it.
public final class Certificate: Sendable {
    public let folder: URL
    public var path: String { folder.appending(path: "cert.pem").path }
    public var keyPath: String { folder.appending(path: "key.pem").path }
    public var tls: HTTPServerConfiguration.TLS { .init(certificatePath: path, keyPath: keyPath) }

    public init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "haul-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let child = try await Child.start(
            Command(
                executable: "/usr/bin/openssl",
                arguments: [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", keyPath, "-out", path, "-days", "2", "-subj", "/CN=haul test", "-addext",
                    "subjectAltName=IP:127.0.0.1",
                ], output: .null, errors: .null))
        let status = await child.wait()
        guard status.code == 0 else { throw LiveServer.Failure(description: "openssl: \(status)") }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A client that trusts this certificate and no other.
    public func client() -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        configuration.authoritiesPath = path
        return HTTPClient(configuration: configuration)
    }
}
