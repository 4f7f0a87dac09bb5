/// What to start as a child process, and with what: never a shell's text, never an environment that was not asked for.
public struct Command: Sendable {
    /// What one of the three standard descriptors is.
    public enum Stream: Sendable, Hashable {
        /// `/dev/null`.
        case null
        /// A pipe to this process: ``Child/input``, ``Child/output``, ``Child/errors``.
        case pipe
        /// This process's own.
        case inherit
        /// A file that is appended to, made where it is missing (0600).
        case append(path: String)
    }

    /// The executable's path; ``ToolPath`` finds one by name.
    public var executable: String
    /// The arguments after the name. Visible to every user of the machine: no secrets.
    public var arguments: [String]
    /// The whole environment; ``Environment/allowed`` is what a tool usually needs.
    public var environment: [String: String]
    /// The working directory; nil is this process's.
    public var directory: String?
    public var input: Stream
    public var output: Stream
    public var errors: Stream
    /// Leads a process group, and with its end takes all that is left of the group with it. A backend's tools stay
    /// in the backend's group (false), so that a worker that ends the backend ends them.
    public var newGroup: Bool

    public init(
        executable: String, arguments: [String] = [], environment: [String: String] = Environment.allowed,
        directory: String? = nil, input: Stream = .null, output: Stream = .pipe, errors: Stream = .pipe,
        newGroup: Bool = false
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.input = input
        self.output = output
        self.errors = errors
        self.newGroup = newGroup
    }
}

/// Why a child could not be started.
public struct SpawnError: Error, Sendable, Hashable, CustomStringConvertible {
    /// `errno` of the step that failed.
    public var code: Int32
    /// One sentence: what could not be started, and the system's reason.
    public var description: String
}
