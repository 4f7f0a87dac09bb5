import HaulModel
public import HaulProtocol

/// The command line that starts curl: nothing in it depends on a request, so that no secret can.
public struct CurlTool: Sendable {
    private let curl: String
    private let limiter: [String]

    /// - Throws: ``BackendFailure`` where a tool is missing.
    public init() throws {
        curl = try Self.find("curl")
        // curl 7.88 holds no body without a length to a limit; the system does. Ignored, its signal is an error of
        // that one transfer instead of the end of all in the process.
        limiter = [try Self.find("env"), "--ignore-signal=XFSZ", try Self.find("prlimit")]
    }

    /// Many requests in one process, described on its standard input.
    /// - Parameter roof: Bytes that a body may have; more end its transfer with curl's exit code 23.
    public func parallel(_ count: Int, roof: Int) -> Command {
        let arguments =
            limiter.dropFirst() + ["--fsize=\(roof)", curl, "-q", "--silent", "--no-progress-meter"]
            + ["--parallel", "--parallel-immediate", "--parallel-max", "\(count)", "--config", "-"]
        return Command(
            executable: limiter[0], arguments: Array(arguments), input: .pipe, output: .null, errors: .pipe)
    }

    /// One request whose body comes from standard input or goes to standard output.
    /// - Parameter config: The file that describes it, 0600.
    public func stream(config: String, upload: Bool) -> Command {
        Command(
            executable: curl,
            arguments: ["-q", "--silent", "--no-progress-meter", "--no-buffer", "--config", config],
            input: upload ? .pipe : .null, output: upload ? .null : .pipe, errors: .pipe)
    }

    private static func find(_ name: String) throws -> String {
        guard let path = ToolPath.find(name) else { throw BackendFailure(.backend, "\(name) is not installed") }
        return path
    }
}
