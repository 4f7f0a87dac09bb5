import Foundation
import HaulProcess
import HaulProtocol

/// `haul-playground with`: a stack for as long as one command runs, which finds it by its environment.
public struct Companion: Sendable {
    private let argv: [String]
    private let workers: Int
    private let isOnPostgreSQL: Bool

    /// - Parameters:
    ///   - argv: The command; looked up in `PATH`, where haul's own programs come first.
    ///   - isOnPostgreSQL: hauld's database is a PostgreSQL server's, which runs as long.
    public init(argv: [String], workers: Int, isOnPostgreSQL: Bool = false) {
        self.argv = argv
        self.workers = workers
        self.isOnPostgreSQL = isOnPostgreSQL
    }

    /// Runs it; nothing of the stack is left afterwards.
    /// - Returns: the command's exit code, or 1 where it could not be run.
    public func run() async -> Int32 {
        let (result, signal) = await EndSignals([SIGTERM, SIGINT, SIGHUP]).cancelling { try await attend() }
        switch result {
        case .success(let code): return code
        case .failure(let error):
            Console.complain(signal.map { "\($0): ended" } ?? "\(error)")
            return 1
        }
    }

    private func attend() async throws -> Int32 {
        var options = Stack.Options(directory: try StackFolder.temporary("haul-with"))
        options.isTemporary = true
        options.workers = workers
        let cluster = isOnPostgreSQL ? try await PostgresCluster.start(isDurable: true) : nil
        if let cluster { options.environment["HAULD_STORE"] = try await cluster.makeDatabase("haul") }
        let stack = try await Stack.start(options)
        let result: Result<Int32, any Error>
        do { result = .success(try await command(stack)) } catch { result = .failure(error) }
        await stack.stop()
        await cluster?.stop()
        return try result.get()
    }

    private func command(_ stack: Stack) async throws -> Int32 {
        var environment = ProcessInfo.processInfo.environment
        let secrets = stack.folder.secrets
        environment["PATH"] = stack.installation.programs + ":" + (Environment.allowed["PATH"] ?? "/usr/bin:/bin")
        environment["HAUL_URL"] = stack.url
        environment["HAUL_TOKEN_FILE"] = secrets + "/alice.token"
        environment["HAUL_WORKER_TOKEN_FILE"] = secrets + "/worker.token"
        environment["HAUL_PLAYGROUND"] = try stack.writeDocument()
        guard let program = ToolPath.find(argv.first ?? "", path: environment["PATH"]) else {
            throw StackError("\(argv.first ?? ""): there is no such command")
        }
        let child = try await Child.start(
            Command(
                executable: program, arguments: Array(argv.dropFirst()), environment: environment, input: .inherit,
                output: .inherit, errors: .inherit))
        let status = await withTaskCancellationHandler {
            await child.wait()
        } onCancel: {
            child.signal(SIGTERM)
        }
        try Task.checkCancellation()
        return Int32(status.code)
    }
}
