import Synchronization

/// One run of a verb: what was asked, and what it may use.
final class Invocation: Sendable {
    let arguments: Arguments
    let environment: [String: String]
    let output: Output
    /// The end of output that people see: messages and progress.
    let errors: Output
    private let connected = Mutex<ServerConnection?>(nil)

    init(arguments: Arguments, environment: [String: String], output: Output, errors: Output) {
        self.arguments = arguments
        self.environment = environment
        self.output = output
        self.errors = errors
    }

    var isJSON: Bool { arguments.has("json") }

    /// The server, found at its first use.
    func server() async throws -> ServerConnection {
        if let server = connected.withLock({ $0 }) { return server }
        let (settings, warnings) = try ServerSettings.find(arguments, environment)
        for warning in warnings { await errors.line("haul: warning: " + Printable.line(warning)) }
        let server = ServerConnection(settings)
        connected.withLock { $0 = server }
        return server
    }

    /// The server as somebody else sees it: with this token, or none.
    func stranger(token: String? = nil) async throws -> ServerConnection {
        var (settings, _) = try ServerSettings.find(arguments, environment, isStranger: true)
        settings.token = token
        return ServerConnection(settings)
    }

    /// An operand that is a job's or element's number.
    func id(_ index: Int, _ what: String) throws(CLIError) -> Int {
        let text = arguments.operands[index]
        guard let id = Int(text), id >= 0 else {
            throw .usage("expected the number of \(what), found \(text)")
        }
        return id
    }
}
