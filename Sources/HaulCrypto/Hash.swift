import CSodium

/// Hashes of libsodium: SHA-256 for what is looked up by its hash, keyed BLAKE2b for what only its maker can make.
public enum Hash {
    /// 32 bytes.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: Int(crypto_hash_sha256_BYTES))
        crypto_hash_sha256(&result, bytes, UInt64(bytes.count))
        return result
    }

    /// A keyed hash (BLAKE2b) of 16 bytes.
    ///
    /// - Parameter key: 16 to 64 bytes.
    public static func keyed(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 16)
        crypto_generichash(&result, result.count, bytes, UInt64(bytes.count), key, key.count)
        return result
    }

    /// True when both are the same, in a time that does not tell where they differ.
    public static func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count && sodium_memcmp(left, right, left.count) == 0
    }
}
