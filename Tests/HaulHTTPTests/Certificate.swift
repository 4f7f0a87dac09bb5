import Foundation
import HaulHTTP
import Support

/// A self-signed certificate for 127.0.0.1 and its key, in a folder of their own that goes with it.
final class Certificate: Sendable {
    let folder: URL
    var path: String { folder.appending(path: "cert.pem").path }
    var keyPath: String { folder.appending(path: "key.pem").path }
    var tls: HTTPServerConfiguration.TLS { .init(certificatePath: path, keyPath: keyPath) }

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "haul-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let status = await Self.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", keyPath, "-out", path, "-days", "2", "-subj", "/CN=haul test", "-addext",
            "subjectAltName=IP:127.0.0.1",
        ])
        guard status == 0 else { throw RawConnection.Failure(reason: "openssl ended with \(status)") }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A client that trusts this certificate and no other.
    func client() -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        configuration.authoritiesPath = path
        return HTTPClient(configuration: configuration)
    }

    private static func run(_ arguments: [String]) async -> Int32 {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "test.openssl").async {
                var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
                argv.append(nil)
                defer { for argument in argv { free(argument) } }
                var actions = posix_spawn_file_actions_t()
                posix_spawn_file_actions_init(&actions)
                posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
                defer { posix_spawn_file_actions_destroy(&actions) }
                var pid: pid_t = 0
                var status: Int32 = -1
                if posix_spawnp(&pid, "openssl", &actions, nil, argv, environ) == 0 { waitpid(pid, &status, 0) }
                continuation.resume(returning: status)
            }
        }
    }
}
