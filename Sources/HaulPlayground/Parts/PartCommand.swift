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

    /// A command with what its config file takes from the environment before it (`env NAME=VALUE ... PROGRAM`), so that
    /// it can be typed again as it is, and with the playground's mark, so that it ends with it. None of that is secret: tokens and keys are files.
    static func standalone(_ command: [String], _ environment: [String: String]) -> [String] {
        let settings = environment.filter { $0.key.hasPrefix("HAUL") }
        return ["/usr/bin/env"] + settings.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" } + command
    }
}
