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
