import HaulCrypto
public import HaulModel
public import HaulStore

/// The tokens by which users, workers and operators are known. Only a hash is stored: a token is shown once.
public enum AccessToken {
    private static let prefix = "haul_"

    /// What is stored of a token: SHA-256. A token has 256 random bits, which no slow hash would guard better.
    public static func hash(of token: String) -> [UInt8] { Hash.sha256(Array(token.utf8)) }

    /// Whether a text looks like one: what does not is no token of ours.
    static func isOne(_ text: String) -> Bool { text.hasPrefix(prefix) }

    /// A new token, and what is stored of it.
    public static func make() -> (token: String, hash: [UInt8]) {
        let token = prefix + Text.base64url(Random.bytes(32))
        return (token, hash(of: token))
    }

    /// Makes a token for a user, who is made too where there is none of that name.
    ///
    /// - Returns: the token, which can't be found out again.
    public static func add(_ spec: TokenSpec, to store: Store, user name: String, now: Timestamp) async throws -> String
    {
        let (token, hash) = make()
        _ = try await store.write { writer in
            let user = try writer.user(named: name, now: now)
            let id = try writer.addToken(spec, hash: hash, user: user, now: now)
            try writer.note(Deed(.addToken, "\(id)", spec.summary(of: user)), by: .console, now: now)
        }
        return token
    }

    /// What is wrong with a user's name, or nil: 1 to 64 letters, digits, `.`, `-`, `_`, `@`.
    public static func problem(withUser name: String) -> String? {
        let isFine =
            (1...64).contains(name.utf8.count)
            && name.unicodeScalars.allSatisfy {
                $0.isASCII && ($0.properties.isAlphabetic || "0123456789.-_@".unicodeScalars.contains($0))
            }
        // What stands below /qdo in the place of a user's name.
        if ["site", "users"].contains(name) { return "no user can be called site or users" }
        return isFine ? nil : "a user's name has 1 to 64 letters, digits, dots, dashes, underscores or @"
    }
}
