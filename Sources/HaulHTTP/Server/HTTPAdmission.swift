/// What a server decides about a request when its head is in and nothing of its body was read yet.
public struct HTTPAdmission: Sendable {
    /// Who lets the body in.
    public enum Gate: Sendable {
        /// The body is read.
        case open
        /// The request is answered at once and its body never read; the connection closes after the answer.
        case shut(HTTPResponse)
        /// Known only after some waiting, in a task of its own; the connection is parked meanwhile. Nil opens the gate.
        /// Cancelled when the client is seen to leave; it must still return then.
        case ask(@Sendable () async -> HTTPResponse?)
    }

    /// Bytes that the body may have; past it 413.
    public var bodyLimit: Int
    /// Whether the body is read at all.
    public var gate: Gate

    /// A limit and a gate.
    public init(bodyLimit: Int, gate: Gate = .open) {
        self.bodyLimit = bodyLimit
        self.gate = gate
    }
}
