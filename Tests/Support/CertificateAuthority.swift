public import Foundation
public import HaulHTTP

/// An authority made with openssl, and the certificates that it signs; its folder goes with it.
public final class CertificateAuthority: Sendable {
    /// A certificate and its key, PEM files.
    public struct Issued: Sendable {
        public var path: String
        public var keyPath: String
    }

    /// What is special about a certificate.
    public enum Kind: Sendable {
        case client, server, expired
        /// Not yet valid.
        case early
    }

    public let folder: URL
    public let path: String
    private var keyPath: String { folder.appending(path: "ca.key").path }

    public init(_ name: String = "haul test CA") async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "haul-ca-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        path = folder.appending(path: "ca.pem").path
        try await Self.openssl([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", keyPath,
            "-out", path, "-days", "7300", "-subj", "/CN=\(name)",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        ])
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Signs a certificate.
    /// - Parameter subject: in openssl's form: `/O=site/CN=worker-1`.
    public func issue(_ subject: String, _ kind: Kind = .client) async throws -> Issued {
        let name = UUID().uuidString
        let issued = Issued(
            path: folder.appending(path: name + ".pem").path, keyPath: folder.appending(path: name + ".key").path)
        let request = folder.appending(path: name + ".csr").path
        try await Self.openssl([
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", issued.keyPath,
            "-out", request, "-subj", subject, "-utf8",
        ])
        let extensions = folder.appending(path: name + ".ext").path
        let purpose = if case .server = kind { "serverAuth" } else { "clientAuth" }
        try "extendedKeyUsage=\(purpose)\nsubjectAltName=IP:127.0.0.1\n".write(
            toFile: extensions, atomically: true, encoding: .utf8)
        let sign = [
            "x509", "-req", "-in", request, "-CA", path, "-CAkey", keyPath, "-CAcreateserial", "-out", issued.path,
            "-days", "30", "-extfile", extensions,
        ]
        switch kind {
        case .client, .server: try await Self.openssl(sign)
        case .expired: try await Self.run("/usr/bin/faketime", ["-f", "-60d", "/usr/bin/openssl"] + sign)
        case .early: try await Self.run("/usr/bin/faketime", ["-f", "+60d", "/usr/bin/openssl"] + sign)
        }
        return issued
    }

    /// Takes a certificate back.
    /// - Returns: the list that says so, a PEM file.
    public func revoke(_ issued: Issued) async throws -> String {
        let database = folder.appending(path: "index.txt").path
        if !FileManager.default.fileExists(atPath: database) {
            try Data().write(to: URL(fileURLWithPath: database))
        }
        let config = folder.appending(path: "ca.cnf").path
        try """
        [ca]
        default_ca = d
        [d]
        database = \(database)
        default_md = sha256
        default_crl_days = 30
        certificate = \(path)
        private_key = \(keyPath)
        """.write(toFile: config, atomically: true, encoding: .utf8)
        try await Self.openssl(["ca", "-config", config, "-revoke", issued.path])
        let list = folder.appending(path: "crl.pem").path
        try await Self.openssl(["ca", "-config", config, "-gencrl", "-out", list])
        return list
    }

    /// A client that trusts this authority and shows a certificate.
    public func client(_ shown: Issued? = nil) -> HTTPClient {
        var configuration = HTTPClientConfiguration()
        configuration.authoritiesPath = path
        configuration.certificatePath = shown?.path
        configuration.keyPath = shown?.keyPath
        return HTTPClient(configuration: configuration)
    }

    private static func openssl(_ arguments: [String]) async throws { try await run("/usr/bin/openssl", arguments) }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let run = try await ProgramRun(executable: program, arguments)
        guard run.code == 0 else {
            throw LiveServer.Failure(description: "\(arguments.joined(separator: " ")): \(run.errors)")
        }
    }
}
