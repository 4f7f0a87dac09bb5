/// One thing that `haul` does: its place in the help and the completions, and how it is done.
struct Verb: Sendable {
    var name: String
    /// One line, without a full stop.
    var summary: String
    /// As the usage line shows the operands: `SITE:PATH`.
    var operands: String = ""
    /// How many operands there may be.
    var count: ClosedRange<Int> = 0...0
    /// What completion offers for an operand.
    var completes: Completes = .nothing
    var options: [OptionSpec] = []
    /// Paragraphs below the options in its help.
    var notes: [String] = []
    /// True where it talks to a server.
    var isRemote = true
    var run: @Sendable (Invocation) async throws -> ExitCode

    enum Completes: Sendable, Equatable {
        case nothing, job
        case words([String])
    }

    /// Its own options and those that every verb has.
    var allOptions: [OptionSpec] { options + (isRemote ? OptionSpec.connection : []) + [.help] }
}
