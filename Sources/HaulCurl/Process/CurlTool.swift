public import HaulModel
public import HaulProtocol

/// The command line that starts curl for one streamed request: nothing in it depends on a request, so that no secret can.
public struct CurlTool: Sendable {
    private let curl: String
    /// Where it may be sent to; nil is anywhere.
    let hosts: HostList?

    /// - Throws: ``BackendFailure`` where it is missing.
    public init(hosts: HostList? = nil) throws {
        guard let path = ToolPath.find("curl") else { throw BackendFailure(.backend, "curl is not installed") }
        (curl, self.hosts) = (path, hosts)
    }

    /// One request whose body comes from standard input or goes to standard output.
    /// - Parameter config: The file that describes it, 0600.
    public func stream(config: String, upload: Bool) -> Command {
        Command(
            executable: curl,
            arguments: ["-q", "--silent", "--no-progress-meter", "--no-buffer", "--config", config],
            input: upload ? .pipe : .null, output: upload ? .null : .pipe, errors: .pipe)
    }
}
