/// Who wants something changed, and from where: what the record of changes says of them.
public struct Requester: Sendable, Hashable {
    /// The user's name; of a login that failed, the one that was tried.
    public var name: String
    /// The token that was shown; nil for a password.
    public var token: Int?
    /// The client's numeric address; empty for a command on the database itself.
    public var address: String

    public init(name: String, token: Int?, address: String) {
        self.name = name
        self.token = token
        self.address = address
    }

    /// An operator's command on the database: `hauld user`, `hauld token`.
    public static let console = Requester(name: "", token: nil, address: "")
}

/// What was done to what. Neither holds a secret.
public struct Deed: Sendable, Hashable {
    /// `job.cancel`, `user.change` ...: the thing, and what became of it.
    public var action: Action
    /// `17`, `17.3`, a name.
    public var target: String
    /// What else there is to say: `priority=3`; may be empty.
    public var detail: String

    public enum Action: String, Sendable, Hashable, CaseIterable {
        case register = "job.register"
        case commit = "job.commit"
        case cancel = "job.cancel"
        case destroy = "job.destroy"
        case retry = "job.retry"
        case revoke = "job.revoke"
        case change = "job.change"
        case cancelElement = "element.cancel"
        case queue = "queue.change"
        case launch = "queue.launch"
        case addSite = "site.add"
        case changeSite = "site.change"
        case removeSite = "site.remove"
        case ban = "site.ban"
        case unban = "site.unban"
        case drain = "worker.drain"
        case undrain = "worker.undrain"
        case endSession = "worker.end"
        case startSession = "worker.start"
        case login = "login"
        case loginFailed = "login.failed"
        case addToken = "token.add"
        case revokeToken = "token.revoke"
        case putCredential = "credential.put"
        case removeCredential = "credential.remove"
        case giveCredential = "credential.give"
        case rotateVault = "vault.rotate"
        case addUser = "user.add"
        case changeUser = "user.change"
    }

    public init(_ action: Action, _ target: String, _ detail: String = "") {
        self.action = action
        self.target = target
        self.detail = detail
    }
}

/// A line of the record of changes.
public struct KnownDeed: Sendable, Hashable {
    public var id: Int
    public var time: Timestamp
    public var actor: Requester
    public var action: String
    public var target: String
    public var detail: String

    public init(id: Int, time: Timestamp, actor: Requester, action: String, target: String, detail: String) {
        self.id = id
        self.time = time
        self.actor = actor
        self.action = action
        self.target = target
        self.detail = detail
    }
}

/// What of the record is asked for; nil is any.
public struct DeedFilter: Sendable, Hashable {
    public var name: String?
    public var action: String?
    public var since: Timestamp?

    public init(name: String? = nil, action: String? = nil, since: Timestamp? = nil) {
        self.name = name
        self.action = action
        self.since = since
    }
}
