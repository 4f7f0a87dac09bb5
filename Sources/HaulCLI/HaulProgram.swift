import Foundation
import HaulConfig

/// The program `haul`: finds the verb, runs it, and says what went wrong.
public enum HaulProgram {
    static let version = "0.1.0"

    /// Every verb, in the order of the help.
    static let verbs: [Verb] = [
        .list, .copy, .remove, .rename, .mkdir, .jobs, .job, .elements, .status, .output, .explain, .wait, .cancel,
        .retry, .change, .queues, .launch, .sites, .workers, .credentials, .login, .logout, .whoami, .token, .users,
        .audit,
        .protocols, .completion, .version, .help,
    ]

    /// Runs a command line (the program's name first) to its end.
    /// - Returns: the exit code; everything is printed by then.
    public static func run(_ words: [String], environment: [String: String]) async -> Int32 {
        // What is closed would be the next file or socket that is opened, and get what is meant for people.
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
            _ = open(descriptor == STDOUT_FILENO ? "/dev/full" : "/dev/null", O_RDWR)
        }
        let output = Output(descriptor: STDOUT_FILENO, environment)
        let errors = Output(descriptor: STDERR_FILENO, environment)
        do {
            return try await run(Array(words.dropFirst()), environment, output, errors).rawValue
        } catch {
            let error = explain(error)
            await errors.endProgress()
            for line in error.lines { await errors.line(line) }
            return error.code.rawValue
        }
    }

    private static func run(
        _ words: [String], _ environment: [String: String], _ output: Output, _ errors: Output
    ) async throws -> ExitCode {
        let (name, rest) = splitVerb(words)
        guard let name else {
            if words.contains("--version") || words.contains("-V") {
                await output.line("haul \(version)")
                return .ok
            }
            let isAsked = words.contains("--help") || words.contains("-h")
            await (isAsked ? output : errors).text(HelpText.overview)
            return isAsked ? .ok : .usage
        }
        guard let verb = verbs.first(where: { $0.name == name }) else {
            let near = NearMiss.of(name, in: verbs.map(\.name)).map { "did you mean \($0)?" }
            throw CLIError.usage("there is no verb \(name)", hint: near ?? "haul help lists the verbs")
        }
        let arguments: Arguments
        do {
            arguments = try Arguments(rest, options: verb.allOptions)
            guard !arguments.has("help") else {
                await output.text(HelpText.of(verb))
                return .ok
            }
            guard verb.count.contains(arguments.operands.count) else {
                let many = arguments.operands.count > verb.count.upperBound ? "too many" : "too few"
                throw CLIError.usage("\(many) arguments: haul \(verb.name) \(verb.operands)")
            }
        } catch let error as CLIError {
            throw CLIError.usage(error.message, hint: error.hint ?? "haul help \(verb.name) shows how")
        }
        return try await verb.run(
            Invocation(arguments: arguments, environment: environment, output: output, errors: errors))
    }

    /// The verb is the first word that is no option: what stands before it is read with it.
    private static func splitVerb(_ words: [String]) -> (verb: String?, rest: [String]) {
        var index = 0
        while index < words.count, words[index].hasPrefix("-") {
            let takesValue = OptionSpec.connection.contains { "--\($0.name)" == words[index] && $0.value != nil }
            index += takesValue ? 2 : 1
        }
        guard index < words.count else { return (nil, words) }
        return (words[index], Array(words[..<index] + words[(index + 1)...]))
    }

    private static func explain(_ error: any Error) -> CLIError {
        switch error {
        case let error as CLIError: error
        case let error as ConfigError: .usage(error.description)
        case is CancellationError: CLIError(code: .interrupted, message: "interrupted")
        default: CLIError(code: .internal, message: "\(error)", hint: "this is a fault of haul: please report it")
        }
    }
}
