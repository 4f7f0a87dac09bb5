/// How a process ended.
public enum ExitStatus: Sendable, Hashable, CustomStringConvertible {
    case exited(Int32)
    /// By a signal, by number.
    case signalled(Int32)

    public var isSuccess: Bool { self == .exited(0) }

    /// The status as a shell would have it: 128 and the signal's number.
    public var code: Int {
        switch self {
        case .exited(let code): Int(code);
        case .signalled(let signal): 128 + Int(signal)
        }
    }

    public var description: String {
        switch self {
        case .exited(let code): "exited with \(code)"
        case .signalled(let signal): "was ended by signal \(signal)"
        }
    }
}
