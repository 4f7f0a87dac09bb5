import HaulModel

/// The states of qdo's tasks, and which of them stand for what the engine knows. Nothing is decided here.
enum QdoState: String, CaseIterable {
    case waiting = "Waiting"
    case pending = "Pending"
    case running = "Running"
    case succeeded = "Succeeded"
    case failed = "Failed"

    init(_ stage: JobStage) {
        switch stage {
        case .uncommitted: self = .waiting
        case .waiting: self = .pending
        case .executing: self = .running
        case .done: self = .succeeded
        case .failed, .cancelled: self = .failed
        }
    }

    /// A state as requests name it, in any case.
    init?(text: String) { self.init(rawValue: text.prefix(1).uppercased() + text.dropFirst().lowercased()) }

    /// The stages of tasks in this state.
    var stages: Set<JobStage> { Set(JobStage.allCases.filter { QdoState($0) == self }) }
}

extension QdoState {
    /// The exit code that a task shows: what was run ended with; 0 where it went well and nobody said otherwise, 1 where it
    /// did not, nil before its end.
    static func exitCode(_ stage: JobStage, _ outcome: JobOutcome?) -> Int? {
        switch stage {
        case .uncommitted, .waiting, .executing: nil
        case .done: outcome?.code ?? 0
        case .failed, .cancelled: outcome?.code ?? 1
        }
    }

    /// What a task says of its end.
    static func message(_ stage: JobStage, _ outcome: JobOutcome?) -> String? {
        switch stage {
        case .uncommitted, .waiting, .executing, .done, .failed: outcome?.message
        case .cancelled: outcome?.message ?? "it was cancelled"
        }
    }
}

/// The states of a queue, as qdo names them.
enum QdoQueueState: String {
    case active = "Active"
    case paused = "Paused"

    init(_ queue: Queue) {
        switch queue.paused {
        case nil: self = .active
        case .some: self = .paused
        }
    }
}

/// The states of the workers that were launched for a queue, as qdo's clients are shown them.
enum QdoWorkerState: String {
    case waiting = "Waiting"
    case starting = "Starting"
    case running = "Running"
    case ended = "Ended"

    init(_ phase: Launch.Phase) {
        switch phase {
        case .waiting: self = .waiting
        case .starting: self = .starting
        case .running: self = .running
        case .ended: self = .ended
        }
    }
}
