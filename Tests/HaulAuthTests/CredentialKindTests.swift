import Testing

@testable import HaulAuth

/// What secrets look like, and what they say of themselves.
struct CredentialKindTests {
    @Test(arguments: [
        ("s3-key", "ACCESS:SECRET", "ACCESS"), ("s3-key", "A:S\nSESSION\n", "A"), ("http-password", "a:b:c", "a"),
        ("http-password", "\na:b\r\n", "a"),
    ])
    func subjects(_ kind: String, _ secret: String, _ subject: String) throws {
        #expect(try CredentialKind.facts(of: Array(secret.utf8), kind: kind).subject == subject)
    }

    /// A subject goes into the database, and before people.
    @Test(arguments: [
        ("s3-key", "A\u{0}B:SECRET"), ("s3-key", "A\u{1b}[2J:SECRET"), ("s3-key", "A:S\nT\u{0}"),
        ("http-password", "a\u{7}:b"), ("http-password", "\u{c}a:b"),
        ("bearer", "a\u{0}b"),
    ])
    func controls(_ kind: String, _ secret: String) {
        #expect(throws: CredentialRefusal.self) { try CredentialKind.facts(of: Array(secret.utf8), kind: kind) }
    }
}
