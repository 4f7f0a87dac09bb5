/// Why an attempt failed, in the words that a backend, the retry policy and the user share (`protocols/README.md`).
public enum ErrorClass: String, Sendable, Hashable, CaseIterable, Codable {
    // Permanent: trying again would find the same.
    case notFound = "not_found"
    case exists
    case permission
    case auth
    case credentialExpired = "credential_expired"
    case noSpace = "no_space"
    case checksum
    case invalid
    /// A directory that still holds something: a child's removal failed.
    case notEmpty = "not_empty"
    /// The job's deadline passed.
    case deadline
    // Passing: worth another try.
    case connect
    case timeout
    case interrupted
    case busy
    /// The lease ended without a report.
    case lost
    /// The worker was told to end, and gave it back: that costs no try. Workers alone say so.
    case drained
    /// The backend broke its contract, or ended without a result.
    case backend
    case unknown

    /// True when another try cannot help, so that the element fails at once.
    public var isPermanent: Bool {
        switch self {
        case .notFound, .exists, .permission, .auth, .credentialExpired, .noSpace, .checksum, .invalid, .notEmpty,
            .deadline:
            true
        case .connect, .timeout, .interrupted, .busy, .lost, .drained, .backend, .unknown: false
        }
    }

    /// True when it looks as if the site were down, or would take no more: it can't be reached, does not answer, or says
    /// that it is not available.
    public var saysDown: Bool { self == .connect || self == .timeout || self == .busy }

    /// True when it was the site that said no: it is there.
    public var saysUp: Bool {
        switch self {
        case .notFound, .exists, .permission, .auth, .credentialExpired, .noSpace, .notEmpty: true
        default: false
        }
    }
}
