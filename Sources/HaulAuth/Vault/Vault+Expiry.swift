public import HaulModel

extension Vault {
    /// Seconds from which on a credential of a job that is new counts as short-lived, where nothing is known of how long
    /// the job may take.
    private static let short = 3600.0

    /// Whether any of a user's credentials that are shown at these sites has an end.
    public func mayEnd(_ credentials: [Credential], at sites: [Site]) -> Bool {
        sites.contains { site in shown(credentials, at: site).values.contains { $0.expires != nil } }
    }

    /// What is to be said of the time that a user's credentials have left for a job.
    ///
    /// - Parameters:
    ///   - credentials: all of the user's.
    ///   - sites: those that the job touches.
    ///   - end: when it may end: its deadline, or what is reckoned; nil where nobody knows.
    public func shortLived(_ credentials: [Credential], at sites: [Site], until end: Timestamp?) -> [Explanation
        .Blocker]
    {
        let now = now()
        var said: [Int: Explanation.Blocker] = [:]
        for site in sites {
            for credential in shown(credentials, at: site).values {
                guard let expires = credential.expires else { continue }
                let name = "The \(credential.kind) that is shown at site \(site.name)"
                if expires <= now {
                    said[credential.id] = .init(
                        .credentialExpired,
                        "\(name) has expired at \(expires.text): attempts there fail until it is renewed.")
                } else if let end, expires < end {
                    said[credential.id] = .init(
                        .credentialExpires,
                        "\(name) expires at \(expires.text), before the job's end, maybe \(end.text).",
                        until: expires)
                } else if end == nil, expires < now.adding(seconds: Self.short) {
                    said[credential.id] = .init(
                        .credentialExpires, "\(name) expires at \(expires.text), which may be before the job's end.",
                        until: expires)
                }
            }
        }
        return said.sorted { $0.key < $1.key }.map(\.value)
    }
}
