import CSodium

/// Secrets at rest: XChaCha20-Poly1305 (`crypto_aead_xchacha20poly1305_ietf` of libsodium), a random nonce of 24 bytes
/// before what is sealed.
public enum Sealing {
    public static let keyBytes = Int(crypto_aead_xchacha20poly1305_ietf_KEYBYTES)
    private static let nonceBytes = Int(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES)
    private static let tagBytes = Int(crypto_aead_xchacha20poly1305_ietf_ABYTES)

    /// - Parameters:
    ///   - context: what it belongs to; it opens in the same context alone.
    ///   - key: ``keyBytes`` bytes.
    public static func seal(_ secret: [UInt8], context: [UInt8], key: [UInt8]) -> [UInt8] {
        precondition(key.count == keyBytes)
        let nonce = Random.bytes(nonceBytes)
        var sealed = [UInt8](repeating: 0, count: secret.count + tagBytes)
        var count: UInt64 = 0
        // It can't fail: the library says so.
        _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
            &sealed, &count, secret, UInt64(secret.count), context, UInt64(context.count), nil, nonce, key)
        return nonce + sealed
    }

    /// - Returns: nil for what was not sealed with this key in this context, or was changed since.
    public static func open(_ sealed: [UInt8], context: [UInt8], key: [UInt8]) -> [UInt8]? {
        guard key.count == keyBytes, sealed.count >= nonceBytes + tagBytes else { return nil }
        let (nonce, body) = (Array(sealed[..<nonceBytes]), Array(sealed[nonceBytes...]))
        var secret = [UInt8](repeating: 0, count: body.count - tagBytes)
        var count: UInt64 = 0
        let result = crypto_aead_xchacha20poly1305_ietf_decrypt(
            &secret, &count, nil, body, UInt64(body.count), context, UInt64(context.count), nonce, key)
        return result == 0 ? secret : nil
    }
}
