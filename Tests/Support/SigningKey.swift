import CCrypto
import HaulCrypto
public import HaulModel

/// A key that signs, as an issuer has it: libcrypto's, made anew.
public final class SigningKey: Sendable {
    public enum Kind: Sendable, Hashable {
        case rsa(bits: Int)
        /// By the name of its curve.
        case ec(String)
    }

    public let kind: Kind
    public let id: String
    // Only read once it is made.
    nonisolated(unsafe) private let key: OpaquePointer

    public init(_ kind: Kind = .ec("P-256"), id: String) throws {
        var made: OpaquePointer?
        let context = EVP_PKEY_CTX_new_from_name(nil, kind.isRSA ? "RSA" : "EC", nil)
        defer { EVP_PKEY_CTX_free(context) }
        EVP_PKEY_keygen_init(context)
        switch kind {
        case .rsa(let bits): EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits))
        case .ec(let curve): EVP_PKEY_CTX_set_group_name(context, curve)
        }
        guard EVP_PKEY_generate(context, &made) == 1, let made else {
            throw LiveServer.Failure(description: "libcrypto makes no key \(kind)")
        }
        (self.kind, self.id, key) = (kind, id, made)
    }

    deinit { EVP_PKEY_free(key) }

    /// The algorithm that goes with it.
    public var algorithm: String { kind.isRSA ? "RS256" : "ES256" }

    /// Its public half, as in a JSON Web Key Set.
    public var document: [String: JSONValue] {
        let number: (String) -> JSONValue = { .string(Text.base64url(self.number($0))) }
        switch kind {
        case .rsa: return ["kty": "RSA", "kid": .string(id), "use": "sig", "n": number("n"), "e": number("e")]
        case .ec(let curve):
            return ["kty": "EC", "kid": .string(id), "crv": .string(curve), "x": number("qx"), "y": number("qy")]
        }
    }

    /// A number of it, big-endian; those of a curve as long as its field.
    public func number(_ name: String) -> [UInt8] {
        var number: OpaquePointer?
        guard EVP_PKEY_get_bn_param(key, name, &number) == 1 else { return [] }
        defer { BN_free(number) }
        let size = kind.isRSA ? (Int(BN_num_bits(number)) + 7) / 8 : (Int(EVP_PKEY_get_bits(key)) + 7) / 8
        var bytes = [UInt8](repeating: 0, count: size)
        BN_bn2binpad(number, &bytes, Int32(size))
        return bytes
    }

    /// A signature over the SHA-256 of a message, in the form of a JSON Web Signature.
    public func sign(_ message: [UInt8]) -> [UInt8] {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var size = 0
        EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key)
        EVP_DigestSign(context, nil, &size, message, message.count)
        var signature = [UInt8](repeating: 0, count: size)
        EVP_DigestSign(context, &signature, &size, message, message.count)
        signature.removeLast(signature.count - size)
        return kind.isRSA ? signature : raw(signature)
    }

    private func raw(_ der: [UInt8]) -> [UInt8] {
        der.withUnsafeBufferPointer { buffer in
            var start = buffer.baseAddress
            guard let signature = d2i_ECDSA_SIG(nil, &start, buffer.count) else { return [] }
            defer { ECDSA_SIG_free(signature) }
            let size = (Int(EVP_PKEY_get_bits(key)) + 7) / 8
            var bytes = [UInt8](repeating: 0, count: 2 * size)
            bytes.withUnsafeMutableBufferPointer { out in
                BN_bn2binpad(ECDSA_SIG_get0_r(signature), out.baseAddress, Int32(size))
                BN_bn2binpad(ECDSA_SIG_get0_s(signature), out.baseAddress.map { $0 + size }, Int32(size))
            }
            return bytes
        }
    }
}

extension SigningKey.Kind {
    var isRSA: Bool {
        if case .rsa = self { true } else { false }
    }
}
