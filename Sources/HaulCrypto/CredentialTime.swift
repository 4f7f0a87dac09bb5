import CCrypto
public import Foundation

/// Nobody is there to be asked: without this OpenSSL asks the terminal.
private let noPassphrase:
    @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
        _, _, _, _ in -1
    }

/// When a credential's time is over, as its content says: tools that only say that they were not let in do not tell.
public enum CredentialTime {
    /// Of a proxy in PEM: the first end of all its certificates. Nil where it holds none.
    public static func end(x509 content: Data) -> Date? {
        content.withUnsafeBytes { bytes -> Date? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            var first: Date?
            while let certificate = PEM_read_bio_X509(bio, nil, noPassphrase, nil) {
                defer { X509_free(certificate) }
                var parts = tm()
                guard ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1 else { continue }
                let end = Date(timeIntervalSince1970: Double(timegm(&parts)))
                first = min(first ?? end, end)
            }
            // What follows the last one is no error of anybody's.
            ERR_clear_error()
            return first
        }
    }

    /// Of a JSON Web Token: its `exp`. Nil for any other token, and where it says nothing.
    public static func end(token content: Data) -> Date? {
        let text = String(decoding: content, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        struct Claims: Decodable { var exp: Double? }
        guard let data = Text.bytes(base64url: parts[1]),
            let seconds = try? JSONDecoder().decode(Claims.self, from: Data(data)).exp, seconds.isFinite
        else { return nil }
        return Date(timeIntervalSince1970: seconds)
    }
}

extension CredentialTime {
    /// Whom the first certificate of a PEM text names: `/O=haul/CN=alice`. Nil where it holds none.
    public static func subject(x509 content: Data) -> String? {
        content.withUnsafeBytes { bytes -> String? in
            guard let bio = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count)) else { return nil }
            defer { BIO_free(bio) }
            guard let certificate = PEM_read_bio_X509(bio, nil, noPassphrase, nil) else {
                ERR_clear_error()
                return nil
            }
            defer { X509_free(certificate) }
            var text = [CChar](repeating: 0, count: 1024)
            guard X509_NAME_oneline(X509_get_subject_name(certificate), &text, Int32(text.count)) != nil else {
                return nil
            }
            return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }
}
