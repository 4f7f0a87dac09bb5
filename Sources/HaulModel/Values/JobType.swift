/// What a user can ask for. The integers are those of the documented system.
public enum JobType: Int, Sendable, Hashable, CaseIterable {
    case list = 0
    case copy = 1
    case remove = 2
    case rename = 3
    case mkdir = 4
    /// A text that no worker ever sees: who pops it from its queue does it, and says how it ended.
    case task = 5

    /// Those that workers run.
    public static let transfers: [JobType] = [.list, .copy, .remove, .rename, .mkdir]

    /// The name that users see: `LIST`, `COPY` ...
    public var name: String {
        switch self {
        case .list: "LIST"
        case .copy: "COPY"
        case .remove: "REMOVE"
        case .rename: "RENAME"
        case .mkdir: "MKDIR"
        case .task: "TASK"
        }
    }

    /// A type given as integer, numeric string, or name in any case.
    public init?(_ value: JSONValue) {
        switch value {
        case .int(let number): self.init(rawValue: number)
        case .string(let text): self.init(text: text)
        default: return nil
        }
    }

    /// A type given as text: a number or a name in any case.
    public init?(text: String) {
        if let number = Int(text) {
            self.init(rawValue: number)
        } else if let match = Self.allCases.first(where: { $0.name == text.uppercased() }) {
            self = match
        } else {
            return nil
        }
    }

    /// True for a job or element that names a second path.
    public var hasDestination: Bool { self == .copy || self == .rename }

    /// The type of the first element of a job of this type: everything but MKDIR looks at its source first.
    public var firstElement: JobType {
        switch self {
        case .mkdir, .task: self
        case .list, .copy, .remove, .rename: .list
        }
    }
}
