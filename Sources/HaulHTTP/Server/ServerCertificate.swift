import CGnuTLS
import Foundation

/// The certificate that a server shows, with its key. GnuTLS borrows it: a connection keeps the one that it was made with
/// for as long as it lives.
final class ServerCertificate: Sendable {
    // Only read once it is made.
    nonisolated(unsafe) let identity: UnsafeMutablePointer<haul_tls_identity>

    /// - Throws: where a file can't be read, is no PEM, or the two do not belong together.
    init(_ tls: HTTPServerConfiguration.TLS) throws(HTTPServerError) {
        let certificate = try PEMFile.text(tls.certificatePath)
        let key = try PEMFile.text(tls.keyPath)
        var code: Int32 = 0
        guard let identity = haul_tls_identity_make(certificate, key, &code) else {
            throw HTTPServerError(
                kind: .tls,
                message: "the certificate \(tls.certificatePath) and the key \(tls.keyPath) are not usable: "
                    + String(cString: gnutls_strerror(code)))
        }
        self.identity = identity
    }

    deinit { haul_tls_identity_free(identity) }
}

/// Files of keys and certificates.
enum PEMFile {
    static func text(_ path: String) throws(HTTPServerError) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw HTTPServerError(kind: .tls, message: "cannot read \(path): \(error.localizedDescription)")
        }
    }
}
