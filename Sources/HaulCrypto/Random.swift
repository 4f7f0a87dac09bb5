import CSodium

/// Unpredictable bytes (`randombytes_buf` of libsodium).
public enum Random {
    public static func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        randombytes_buf(&result, count)
        return result
    }
}
