/// Who shows a certificate of a certain subject, and what they may do.
public struct CertificateHolder: Sendable, Hashable {
    /// The user, of haul's own; made where there is none of that name.
    public var user: String
    public var grant: Grant

    public init(user: String, grant: Grant) {
        self.user = user
        self.grant = grant
    }

    /// - Parameter subject: as the certificate has it.
    func outsider(_ subject: String) -> Outsider {
        Outsider(user: user, identity: "certificate \(subject)", grant: grant, expires: nil)
    }
}
