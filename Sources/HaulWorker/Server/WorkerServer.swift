public import Foundation
public import HaulWire

/// What a worker asks of its server; each is one request (`POST /worker/register` and so on), tried once.
///
/// All of them throw ``ServerFailure``.
public protocol WorkerServer: Sendable {
    /// Starts a session.
    func register(_ registration: WorkerRegistration) async throws(ServerFailure) -> SessionDocument
    /// Asks for work; none is an empty answer. Returns after `wait` seconds at the latest.
    func claim(_ request: ClaimRequest) async throws(ServerFailure) -> [ClaimedJob]
    /// Renews the session's leases.
    func heartbeat(_ heartbeat: Heartbeat, timeout: Double) async throws(ServerFailure) -> HeartbeatReply
    /// Reports outcomes. The body is a ``ResultsRequest`` in JSON: a repeated report has the same bytes.
    func results(_ body: Data) async throws(ServerFailure) -> ResultsReply
    /// Says how far an attempt is.
    func progress(_ progress: ProgressDocument, of attempt: AttemptKey) async throws(ServerFailure) -> ProgressReply
    /// What the job's user shows at its sites.
    func credentials(of attempt: AttemptKey) async throws(ServerFailure) -> CredentialsReply
    /// Sends a piece of an attempt's log or listing that starts at byte `offset`.
    func piece(
        _ data: Data, at offset: Int, of kind: PieceKind, attempt: AttemptKey
    ) async throws(ServerFailure) -> PieceReply
}

/// What goes up in pieces while an attempt runs.
public enum PieceKind: String, Sendable { case log, listing }

/// What a worker is given to show.
public enum CredentialsReply: Sendable, Hashable {
    case given(GivenCredentials)
    /// The time of one of them is over: which, and since when.
    case expired(String)
}

/// What became of a piece.
public enum PieceReply: Sendable, Hashable {
    /// The server has this many bytes now.
    case accepted(Int)
    /// Nothing was taken: the server has this many bytes, and the next piece must start there.
    case wrongOffset(Int)
}

/// Why a request was of no use.
public enum ServerFailure: Error, Sendable, Hashable {
    /// No answer, or one that says to come again (429, 5xx): trying again may help.
    case unreachable(String)
    /// The server's answer is no: its status, and what it said.
    case refused(status: Int, detail: String)
    /// The task was cancelled.
    case cancelled

    /// True where the token does not count.
    public var isUnauthorized: Bool {
        if case .refused(let status, _) = self { status == 401 || status == 403 } else { false }
    }

    /// The line for people.
    public var text: String {
        switch self {
        case .unreachable(let reason): reason
        case .refused(let status, let detail): "\(status) \(detail)"
        case .cancelled: "cancelled"
        }
    }
}

/// Names an attempt, and proves its lease.
public struct AttemptKey: Sendable, Hashable {
    public var jobID: Int
    public var elementID: Int
    public var attempt: Int
    /// The element's token.
    public var token: String

    public init(jobID: Int, elementID: Int, attempt: Int, token: String) {
        self.jobID = jobID
        self.elementID = elementID
        self.attempt = attempt
        self.token = token
    }

    /// `JOB.ELEMENT.ATTEMPT`, as heartbeats and backends name it.
    public var id: String { "\(jobID).\(elementID).\(attempt)" }
}
