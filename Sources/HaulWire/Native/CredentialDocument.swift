public import HaulModel

/// A credential (`GET /credentials`): what it is, never the secret.
public struct CredentialDocument: Sendable, Hashable, Codable {
    public var id: Int
    public var kind: String
    /// The site that it is shown at; left out where that is every site.
    public var site: String?
    /// Whose it is: a certificate's subject, a key's fingerprint, a login; left out where it does not say.
    public var subject: String?
    /// When its time is over: UTC, milliseconds, `Z`; left out where it does not say.
    public var expires: String?
    public var expired: Bool
    public var changed: String

    /// - Parameter site: the name of its site.
    public init(_ credential: Credential, site: String?, now: Timestamp) {
        id = credential.id
        kind = credential.kind
        self.site = site
        subject = credential.subject.isEmpty ? nil : credential.subject
        expires = credential.expires?.text
        expired = credential.isOver(at: now)
        changed = credential.changed.text
    }
}

extension CredentialDocument: Documented {
    public static let schema = Schema.object(
        "Credential",
        [
            "id": .count, "kind": .text, "site?": .text.about("Where it is shown; without, at every site"),
            "subject?": .text.about("Whose it is, as it says itself"), "expires?": .time, "expired": .flag,
            "changed": .time,
        ])
}
