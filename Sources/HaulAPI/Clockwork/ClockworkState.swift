import HaulModel

/// The states of Slurm's jobs that clients of Clockwork know, and which of them stands for what the engine knows. Nothing is
/// decided here.
enum ClockworkState: String, CaseIterable {
    case pending = "PENDING"
    case running = "RUNNING"
    case completed = "COMPLETED"
    case failed = "FAILED"
    case timeout = "TIMEOUT"
    case nodeFail = "NODE_FAIL"
    case cancelled = "CANCELLED"

    init(_ job: Job) { self = Self.state(job.stage, job.errorClass ?? .unknown) }

    /// - Parameter error: counts for a job that failed.
    private static func state(_ stage: JobStage, _ error: ErrorClass) -> ClockworkState {
        switch (stage, error) {
        case (.uncommitted, _), (.waiting, _): .pending
        case (.executing, _): .running
        case (.done, _): .completed
        case (.cancelled, _): .cancelled
        case (.failed, .deadline): .timeout
        case (.failed, .lost), (.failed, .drained): .nodeFail
        case (.failed, .notFound), (.failed, .exists), (.failed, .permission), (.failed, .auth),
            (.failed, .credentialExpired), (.failed, .noSpace), (.failed, .checksum), (.failed, .invalid),
            (.failed, .notEmpty), (.failed, .connect), (.failed, .timeout), (.failed, .interrupted), (.failed, .busy),
            (.failed, .backend), (.failed, .unknown):
            .failed
        }
    }

    /// `n:0`: what was run ended with n, as far as that is known; else 0, but for one that failed.
    func exitCode(_ outcome: JobOutcome?) -> String {
        switch self {
        case .failed, .timeout, .nodeFail: "\(outcome?.code ?? 1):0"
        case .completed: "\(outcome?.code ?? 0):0"
        case .pending, .running, .cancelled: "0:0"
        }
    }

    /// Narrows a list to jobs in some of these states.
    static func narrow(_ filter: inout JobFilter, to states: Set<ClockworkState>) {
        filter.stages = []
        filter.failures = []
        for stage in JobStage.allCases {
            for error in ErrorClass.allCases where states.contains(state(stage, error)) {
                filter.stages?.insert(stage)
                if stage == .failed { filter.failures?.insert(error) }
            }
        }
    }
}

/// The states of Slurm's nodes that clients of Clockwork know, and which of them stands for a worker that lives.
enum ClockworkNodeState: String, CaseIterable {
    case idle = "IDLE"
    case mixed = "MIXED"
    case allocated = "ALLOCATED"
    case draining = "DRAINING"
    case drained = "DRAINED"

    init(_ worker: KnownWorker) {
        let (isBusy, hasRoom) = (worker.holding > 0, worker.holding < worker.record.slots)
        switch (worker.drained != nil, isBusy, hasRoom) {
        case (true, true, _): self = .draining
        case (true, false, _): self = .drained
        case (false, false, _): self = .idle
        case (false, true, true): self = .mixed
        case (false, true, false): self = .allocated
        }
    }
}
