/// What somebody is to the service.
public enum Role: String, Sendable, Hashable, CaseIterable {
    case user, worker, `operator`

    /// What it lets do. A token may be narrowed to some of these, and never has others.
    public var scopes: Set<Scope> {
        switch self {
        case .user: [.readJobs, .changeJobs, .tokens, .credentials]
        case .worker: [.work]
        case .operator: [.readJobs, .changeJobs, .tokens, .credentials, .operate]
        }
    }
}

/// Something that a request needs to be allowed.
public enum Scope: String, Sendable, Hashable, CaseIterable {
    /// See jobs, logs and listings, queues and sites.
    case readJobs = "jobs.read"
    /// Register, cancel, retry and change jobs; pause and limit queues.
    case changeJobs = "jobs.write"
    /// Make, see and revoke tokens of one's own, and change the password.
    case tokens
    /// Keep, list and remove what one shows at sites.
    case credentials
    /// Claim and report elements.
    case work
    /// Everything about workers, sites, users and their jobs.
    case operate
}
