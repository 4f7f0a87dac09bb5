/// Where a job stands, coarser than its status and the same for every face of the service: it goes forward, and only a
/// retry of the whole job leads back, or its user who takes it back from whoever has it.
public enum JobStage: String, Sendable, Hashable, CaseIterable {
    /// Registered, and not committed.
    case uncommitted
    /// None of it was handed out yet.
    case waiting
    /// Some of it was handed out, now or earlier.
    case executing
    case done
    case failed
    case cancelled

    /// Nothing more happens by itself.
    public var isEnded: Bool { self == .done || self == .failed || self == .cancelled }

    /// What queries call them.
    public static var names: [String] { allCases.map(\.rawValue) }
}
