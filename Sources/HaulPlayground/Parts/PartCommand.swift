/// How a part of the stack is started, and can be started again by anyone: on the same port, with the same files.
public struct PartCommand: Sendable, Hashable {
    /// `hauld`, `worker-1`, `ssh-a`, `http-a` ...
    public let name: String
    /// The program's path and its arguments.
    public let argv: [String]
    /// The working directory.
    public let cwd: String
    /// The whole environment.
    public let env: [String: String]
    /// The file that gets what it prints.
    let log: String
}
