import CSodium

/// HMAC-SHA-256 (RFC 2104), for signatures that others can check.
public enum HMAC {
    /// 32 bytes.
    /// - Parameter key: Any length.
    public static func sha256(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: Int(crypto_auth_hmacsha256_BYTES))
        var state = crypto_auth_hmacsha256_state()
        crypto_auth_hmacsha256_init(&state, key, key.count)
        crypto_auth_hmacsha256_update(&state, bytes, UInt64(bytes.count))
        crypto_auth_hmacsha256_final(&state, &result)
        return result
    }
}
