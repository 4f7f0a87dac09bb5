/// How `haul` ends, for scripts. Part of its interface: a number once given keeps its meaning.
public enum ExitCode: Int32, Sendable, CaseIterable, Comparable {
    case ok = 0
    case jobFailed = 1
    case usage = 2
    case notFound = 3
    case notAllowed = 4
    case unreachable = 5
    case timeout = 6
    case refused = 7
    case jobCancelled = 8
    case `internal` = 70
    case output = 74
    case interrupted = 130

    /// One line for `haul help exit-codes`.
    var meaning: String {
        switch self {
        case .ok: "done; with --wait and for wait: every job is DONE"
        case .jobFailed: "a job failed (wait, --wait)"
        case .usage: "the command line or the config file is wrong"
        case .notFound: "no such job, element or attempt (404)"
        case .notAllowed: "no token, a bad one, or not yours to do (401, 403)"
        case .unreachable: "the server cannot be reached, or fails (5xx)"
        case .timeout: "the time given with --timeout is over; the jobs go on"
        case .refused: "the server refuses the request (400, 409, 413)"
        case .jobCancelled: "a job was cancelled (wait, --wait)"
        case .internal: "a fault of haul itself"
        case .output: "the output cannot be written; what was registered goes on"
        case .interrupted: "interrupted (Ctrl-C); registered jobs go on"
        }
    }

    public static func < (left: ExitCode, right: ExitCode) -> Bool { left.rawValue < right.rawValue }

    /// The code for an HTTP status that is an error.
    init(httpStatus: Int) {
        switch httpStatus {
        case 404: self = .notFound
        case 401, 403: self = .notAllowed
        case 400..<500: self = .refused
        default: self = .unreachable
        }
    }
}

/// What ends a verb: what to print, and how to exit.
struct CLIError: Error, Sendable {
    var code: ExitCode
    var message: String
    /// What to do about it.
    var hint: String?
    /// Each wrong field, and what was expected of it.
    var fields: [String: String] = [:]
    /// The job of a bulk registration that is wrong, from 0.
    var index: Int?

    static func usage(_ message: String, hint: String? = nil) -> CLIError {
        CLIError(code: .usage, message: message, hint: hint)
    }

    /// The lines for stderr, nothing in them that a terminal would obey.
    var lines: [String] {
        var lines = ["haul: " + Printable.line(message)]
        for (field, problem) in fields.sorted(by: { $0.key < $1.key }) {
            lines.append("  \(Printable.line(field)): \(Printable.line(problem))")
        }
        if let hint { lines.append("  hint: " + Printable.line(hint)) }
        return lines
    }
}
