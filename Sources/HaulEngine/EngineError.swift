import HaulStore

/// Why the engine did not do what was asked, in words for the one who asked.
public struct EngineError: Error, Sendable {
    public enum Kind: Sendable {
        /// The request is wrong.
        case invalid
        /// The token is none of ours.
        case unauthorized
        /// What was proven does not allow it.
        case forbidden
        /// There is no such thing, or not for this user.
        case notFound
        /// It came too late, or contradicts what is there.
        case conflict
        /// It holds more than it may.
        case tooLarge
        /// A limit of the user is reached: try again.
        case overLimit
        /// The disk or the database can't take it now: try again.
        case unavailable
        /// A fault of ours. `detail` names nothing that is not the user's; the cause is in `cause`.
        case fault
    }

    public var kind: Kind
    /// A word that programs can compare.
    public var code: String
    public var detail: String
    public var hint: String
    /// Every field of the request that is wrong.
    public var fields: [String: String]?
    /// The job of a bulk registration that is wrong, from 0.
    public var index: Int?
    /// Where a log or listing goes on.
    public var offset: Int?
    /// For the server's log alone.
    public var cause: String?

    public init(
        _ kind: Kind, code: String, detail: String, hint: String, fields: [String: String]? = nil,
        index: Int? = nil, offset: Int? = nil, cause: String? = nil
    ) {
        self.kind = kind
        self.code = code
        self.detail = detail
        self.hint = hint
        self.fields = fields
        self.index = index
        self.offset = offset
        self.cause = cause
    }

    /// What the database or anything else threw, in words that tell a client nothing of its inside.
    public init(unexpected error: any Error) {
        if case StoreError.limit(let what, let most) = error {
            self.init(
                .invalid, code: "too_many_\(what)", detail: "A user may have \(most) \(what).",
                hint: "Use one that is there; nothing was done.")
        } else if case StoreError.unavailable(let cause) = error {
            self.init(
                .unavailable, code: "unavailable",
                detail: "The server's database can't take this now; nothing was done.",
                hint: "Try again in a while.", cause: cause)
        } else {
            self.init(
                .fault, code: "fault", detail: "The server failed.",
                hint: "Tell the operators when it happened: their log says why.", cause: String(describing: error))
        }
    }

    /// 404 for a job that is not there, or not for this user.
    public static func noJob(_ id: Int) -> EngineError {
        EngineError(
            .notFound, code: "no_such_job", detail: "There is no job \(id).",
            hint: "GET /jobs (haul jobs) lists those that are yours.")
    }

    /// 404 for an element that is not there.
    public static func noElement(_ element: Int, ofJob job: Int) -> EngineError {
        EngineError(
            .notFound, code: "no_such_element", detail: "Job \(job) has no element \(element).",
            hint: "GET /jobs/\(job)/elements (haul elements \(job)) lists those it has.")
    }

    static let leaseEnded = EngineError(
        .conflict, code: "lease_ended", detail: "The lease on this attempt has ended; the report changes nothing.",
        hint: "Stop the transfer and drop the attempt: the server hands the element out again where tries are left.")

    static let tokenRevoked = EngineError(
        .unauthorized, code: "token_revoked", detail: "The token was revoked.",
        hint: "Operators make a new one with hauld token add.")

    static func nameTaken(_ worker: String) -> EngineError {
        EngineError(
            .conflict, code: "worker_name_taken",
            detail: "A worker \"\(worker)\" lives, with a session that was begun with another token.",
            hint: """
                Choose another name, or wait: its session ends soon after its last heartbeat, and at once when its token is \
                revoked or an operator sends DELETE /workers/NAME/session.
                """)
    }

    static let sessionEnded = EngineError(
        .conflict, code: "session_ended", detail: "This session has ended.",
        hint: "Register a new one with POST /worker/register.")
}
