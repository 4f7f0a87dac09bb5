/// The status of a job or an element, as users (by name) and workers (by integer) see it.
public enum Status: Int, Sendable, Hashable, CaseIterable {
    case new = 0
    case done = 1
    case failed = 2
    case submitted = 3
    case running = 4
    case cancelled = 5

    /// The name that users see: `NEW`, `DONE` ...
    public var name: String {
        switch self {
        case .new: "NEW"
        case .done: "DONE"
        case .failed: "FAILED"
        case .submitted: "SUBMITTED"
        case .running: "RUNNING"
        case .cancelled: "CANCELLED"
        }
    }

    /// Nothing more happens by itself.
    public var isEnded: Bool { self == .done || self == .failed || self == .cancelled }

    /// A status given as text: a number or a name in any case.
    public init?(text: String) {
        if let number = Int(text) {
            self.init(rawValue: number)
        } else if let match = Self.allCases.first(where: { $0.name == text.uppercased() }) {
            self = match
        } else {
            return nil
        }
    }
}
