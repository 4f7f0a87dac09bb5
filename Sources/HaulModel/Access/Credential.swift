/// What is known of a credential that a user keeps here: never the secret itself.
public struct Credential: Sendable, Hashable {
    public var id: Int
    public var userID: Int
    public var userName: String
    /// Where it is shown; nil: at every site of a protocol that takes its kind, and of which the user has none of its own.
    public var siteID: Int?
    /// `ssh-key`, `x509-proxy` ...: as protocols' manifests name them.
    public var kind: String
    /// Whose it is, for people: a certificate's subject, a key's fingerprint; may be empty.
    public var subject: String
    /// When its time is over; nil where it does not say.
    public var expires: Timestamp?
    public var changed: Timestamp
    /// Raised each time that it is replaced.
    public var revision: Int

    public init(
        id: Int, userID: Int, userName: String, siteID: Int?, kind: String, subject: String, expires: Timestamp?,
        changed: Timestamp,
        revision: Int
    ) {
        self.id = id
        self.userID = userID
        self.userName = userName
        self.siteID = siteID
        self.kind = kind
        self.subject = subject
        self.expires = expires
        self.changed = changed
        self.revision = revision
    }

    public func isOver(at now: Timestamp) -> Bool { expires.map { $0 <= now } ?? false }
}

extension Collection<Credential> {
    /// What is shown at a site, by kind: the site's own before what is for every site. At a site that a user made
    /// they alone show something, and what they kept for it: its maker says where it leads.
    public func shown(at site: Site, kinds: [String]) -> [String: Credential] {
        var shown: [String: Credential] = [:]
        for credential in self where kinds.contains(credential.kind) && site.access.trusts(credential.userName) {
            if credential.siteID == site.id
                || credential.siteID == nil && site.access.owner == nil && shown[credential.kind] == nil
            {
                shown[credential.kind] = credential
            }
        }
        return shown
    }
}
