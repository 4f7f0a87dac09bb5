import CSodium

/// Passwords, hashed with Argon2id (`crypto_pwhash_str` of libsodium): 64 MiB and two passes each, some 60 ms of a core.
/// Blocking: for queues of their own.
public enum Password {
    /// Bytes that a password may have.
    public static let longest = 1024

    /// A text with algorithm, parameters, salt and hash; nil where there is no memory for it.
    public static func hash(_ password: String) -> String? {
        var text = [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES))
        let password = Array(password.utf8CString)
        let result = crypto_pwhash_str(
            &text, password, UInt64(password.count - 1), UInt64(crypto_pwhash_OPSLIMIT_INTERACTIVE),
            Int(crypto_pwhash_MEMLIMIT_INTERACTIVE))
        return result == 0 ? String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self) : nil
    }

    /// Whether a password is the one that was hashed.
    public static func isRight(_ password: String, hash: String) -> Bool {
        let password = Array(password.utf8CString)
        // The library reads a buffer of that many bytes.
        var text = Array(hash.utf8CString.prefix(Int(crypto_pwhash_STRBYTES) - 1))
        text += [CChar](repeating: 0, count: Int(crypto_pwhash_STRBYTES) - text.count)
        return crypto_pwhash_str_verify(text, password, UInt64(password.count - 1)) == 0
    }
}
