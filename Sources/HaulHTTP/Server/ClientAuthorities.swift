import CGnuTLS
import Foundation

/// Who may sign clients' certificates, and which of these they took back.
final class ClientAuthorities: Sendable {
    // Only read once it is made.
    nonisolated(unsafe) private let list: gnutls_x509_trust_list_t

    /// - Throws: where a file can't be read, or holds none.
    init(_ clients: HTTPServerConfiguration.Clients) throws(HTTPServerError) {
        let authorities = try PEMFile.text(clients.authoritiesPath)
        let revoked = try clients.revokedPath.map { path throws(HTTPServerError) in try PEMFile.text(path) }
        var code: Int32 = 0
        guard let list = haul_tls_trust(authorities, revoked, &code) else {
            let files = [clients.authoritiesPath, clients.revokedPath].compactMap(\.self).joined(separator: " and ")
            let reason = code == 0 ? "nothing in it" : String(cString: gnutls_strerror(code))
            throw HTTPServerError(
                kind: .tls, message: "the clients' authorities in \(files) are not usable: \(reason)")
        }
        self.list = list
    }

    deinit { haul_tls_trust_free(list) }

    /// What the client of a session showed. To be called on that session's thread.
    func look(at session: UnsafeMutableRawPointer?) -> ClientCertificate {
        guard let session else { return .none }
        var client = haul_tls_look(session, list)
        defer { haul_tls_client_free(&client) }
        guard client.is_there else { return .none }
        guard client.status == 0 else { return .bad(Self.reason(client.status)) }
        guard let text = client.subject.data,
            let subject = String(
                validating: UnsafeBufferPointer(start: text, count: Int(client.subject.size)), as: UTF8.self),
            !subject.isEmpty
        else { return .bad("it has no subject that can be read") }
        return .good(subject: subject, expires: client.expires)
    }

    /// The first thing that is wrong, in a few words.
    private static func reason(_ status: UInt32) -> String {
        let reasons: [(gnutls_certificate_status_t, String)] = [
            (GNUTLS_CERT_EXPIRED, "its time is over"), (GNUTLS_CERT_NOT_ACTIVATED, "its time has not come"),
            (GNUTLS_CERT_REVOKED, "it was revoked"), (GNUTLS_CERT_PURPOSE_MISMATCH, "it is not one for clients"),
            (GNUTLS_CERT_SIGNER_NOT_FOUND, "nobody who is trusted signed it"),
            (GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED, "the list of what was revoked is out of date"),
        ]
        return reasons.first { status & $0.0.rawValue != 0 }?.1 ?? "it cannot be trusted"
    }
}

/// What a client showed when it connected.
enum ClientCertificate: Sendable, Hashable {
    case none
    /// By its subject, as RFC 4514 writes it, and until when (seconds since 1970).
    case good(subject: String, expires: Int)
    /// One that is not to be believed, and why.
    case bad(String)
}
