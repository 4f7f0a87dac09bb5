import CCrypto

/// The public half of a key that signs (RFC 7518, sections 3 and 6). The checks are libcrypto's.
public final class VerificationKey: Sendable {
    /// What haul takes: each kind of key has one algorithm, whatever a text says of itself.
    public enum Algorithm: String, Sendable, Hashable {
        /// RSASSA-PKCS1-v1_5 with SHA-256.
        case rs256 = "RS256"
        /// ECDSA on P-256 with SHA-256.
        case es256 = "ES256"
    }

    /// Bits that an RSA key has to have (NIST SP 800-131A), and may.
    public static let bitsOfRSA = 2048...8192

    public let algorithm: Algorithm
    // libcrypto only reads it: a key may be used on many threads at once.
    nonisolated(unsafe) private let key: OpaquePointer

    /// An RSA key, both numbers big-endian; nil for one that is too short, too long or none at all.
    public init?(modulus: [UInt8], exponent: [UInt8]) {
        guard modulus.count <= Self.bitsOfRSA.upperBound / 8 + 1, exponent.count <= 8,
            let key = haul_rsa_key(modulus, modulus.count, exponent, exponent.count)
        else { return nil }
        guard Self.bitsOfRSA.contains(Int(EVP_PKEY_get_bits(key))) else {
            EVP_PKEY_free(key)
            return nil
        }
        (self.algorithm, self.key) = (.rs256, key)
    }

    /// A key on P-256, both coordinates of 32 bytes; nil for a point that is not on the curve.
    public init?(x: [UInt8], y: [UInt8]) {
        guard x.count == 32, y.count == 32 else { return nil }
        let point = [4] + x + y
        guard let key = haul_p256_key(point, point.count) else { return nil }
        (self.algorithm, self.key) = (.es256, key)
    }

    deinit { EVP_PKEY_free(key) }

    /// Whether this key made the signature over the message.
    ///
    /// - Parameter signature: As in a JSON Web Signature: of ECDSA the two numbers, not their DER.
    public func isRight(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        switch algorithm {
        case .rs256: return haul_verify_sha256(key, signature, signature.count, message, message.count)
        case .es256:
            guard signature.count == 64 else { return false }
            var der: UnsafeMutablePointer<UInt8>?
            let size = haul_p256_der(signature, &der)
            defer { CRYPTO_free(der, "", 0) }
            return size > 0 && haul_verify_sha256(key, der, Int(size), message, message.count)
        }
    }
}
