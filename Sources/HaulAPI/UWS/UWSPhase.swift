import HaulModel

/// The phases of UWS 1.1 (2.1.3), and which of them stand for what the engine knows. Nothing is decided here.
enum UWSPhase: String, CaseIterable {
    case pending = "PENDING"
    case queued = "QUEUED"
    case executing = "EXECUTING"
    case completed = "COMPLETED"
    case error = "ERROR"
    case aborted = "ABORTED"
    // No job is ever in one of these: clients give up on HELD, so a paused queue's jobs are QUEUED.
    case unknown = "UNKNOWN"
    case held = "HELD"
    case suspended = "SUSPENDED"
    case archived = "ARCHIVED"

    init(_ stage: JobStage) {
        switch stage {
        case .uncommitted: self = .pending
        case .waiting: self = .queued
        case .executing: self = .executing
        case .done: self = .completed
        case .failed: self = .error
        case .cancelled: self = .aborted
        }
    }

    /// A phase as requests name it, in any case.
    init?(text: String) { self.init(rawValue: text.uppercased()) }

    /// The stage of jobs in this phase; nil where no job ever is.
    var stage: JobStage? { JobStage.allCases.first { UWSPhase($0) == self } }

    /// A client may wait for its end (UWS 1.1, 2.2.1.1).
    var isActive: Bool { self == .pending || self == .queued || self == .executing }
}
