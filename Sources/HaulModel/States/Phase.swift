/// Where an element stands, finer than the status that users see. The integers are stored.
///
///     held ──opened──▶ ready ◀──due── delayed
///       │                │ claimed       ▲
///       │                ▼               │ failed, tries left
///       │             leased ──▶ running ┘
///       │ child failed   └── reported ──▶ done / failed
///       └──────────▶ failed
///
/// A pop leads from ready to popped, and from there what its user says: to done, to failed, back to ready. Who takes a job
/// back leads what is with workers to delayed, until they have heard of it.
/// A cancel leads from held, ready, delayed and popped to cancelled, and from leased and running by way of the report. A user's
/// retry leads from failed and cancelled back to ready (a directory of a REMOVE: to held).
public enum Phase: Int, Sendable, Hashable, CaseIterable {
    /// Waits for others of its job: a directory of a REMOVE for all that is deeper. Opened by the engine when the last
    /// of those ended.
    case held = 0
    /// Can be handed out. Left by a claim.
    case ready = 1
    /// Waits for its next try; made ready by the retry duty when `notBefore` has come.
    case delayed = 2
    /// Handed out to a session; nothing heard yet. Left by a report, first progress, or the end of the lease.
    case leased = 3
    /// Handed out, and progress was seen.
    case running = 4
    // Ended. Only a user's retry leads out.
    case done = 5
    case failed = 6
    case cancelled = 7
    /// Handed out to one who popped it: neither a worker nor a session has it. Left by what is said of it, by the end of
    /// its queue's lease where it has one, and by being taken back.
    case popped = 8

    /// True when nothing more will happen by itself.
    public var isEnded: Bool { self == .done || self == .failed || self == .cancelled }

    /// True while it is with a worker.
    public var isOut: Bool { self == .leased || self == .running }

    /// The status that users see. What waits is NEW until it was handed out once, then FAILED: between tries.
    public func status(attempts: Int) -> Status {
        switch self {
        case .held, .ready, .delayed: attempts == 0 ? .new : .failed
        case .leased: .submitted
        case .running, .popped: .running
        case .done: .done
        case .failed: .failed
        case .cancelled: .cancelled
        }
    }
}
