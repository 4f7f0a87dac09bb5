/// How a job ended, as far as a number and a line tell it.
public struct JobOutcome: Sendable, Hashable {
    /// The exit code of what was run; nil where none is known.
    public var code: Int?
    public var message: String?

    public init(code: Int?, message: String?) {
        self.code = code
        self.message = message
    }
}
