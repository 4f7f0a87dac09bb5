import HaulCrypto
import Testing

@Suite struct PasswordTests {
    /// Argon2id with the library's parameters for logins, a salt of its own each time.
    @Test func hashes() throws {
        #expect(Sodium.start())
        let password = "correct horse ✓"
        let first = try #require(Password.hash(password))
        let second = try #require(Password.hash(password))
        #expect(first.hasPrefix("$argon2id$v=19$m=65536,t=2,p=1$") && first != second)
        for hash in [first, second] {
            #expect(Password.isRight(password, hash: hash))
            #expect(!Password.isRight(password + " ", hash: hash))
            #expect(!Password.isRight("", hash: hash))
        }
    }

    /// What is no hash is never right, however long it is.
    @Test(arguments: ["", "x", "$argon2id$", String(repeating: "$argon2id", count: 1000), "$argon2id$v=19$m=65536"])
    func noHash(_ text: String) {
        #expect(Sodium.start())
        #expect(!Password.isRight("anything", hash: text) && !Password.isRight("", hash: text))
    }
}
