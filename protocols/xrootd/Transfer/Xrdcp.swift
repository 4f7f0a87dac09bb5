import Foundation
import HaulModel
import HaulProtocol

/// What a batch says to xrdcp.
struct XrdcpOptions: Sendable, Hashable {
    enum ThirdParty: String, Sendable { case first, only, never }

    var xrdcp: String
    /// Reads from the middle of a file, which xrdcp does not.
    var xrdfs: String
    var thirdParty: ThirdParty
    /// Persist on successful close.
    var posc: Bool

    init(_ options: [String: JSONValue], xrdcp: String, xrdfs: String) {
        self.xrdcp = xrdcp
        self.xrdfs = xrdfs
        thirdParty = options["third_party"]?.string.flatMap(ThirdParty.init) ?? .first
        posc = options["posc"]?.bool ?? false
    }
}

/// One run of xrdcp or xrdfs that moves a file's bytes.
enum Xrdcp {
    private static let look = Duration.milliseconds(500)
    private static let longestComplaint = 64 << 10

    /// Parallel connections of one file, of which xrdcp takes 15 at most. Its `--xrate` is not used: it lets the first pieces
    /// of 8 MiB go at once, whatever the rate. With a bandwidth the bytes pass through this process, which keeps it.
    static func streams(_ count: Int?) -> [String] { count.map { ["--streams", String(min($0, 15))] } ?? [] }

    /// Runs a tool to its end.
    /// - Parameter watch: Called twice a second: tells how far it is.
    /// - Returns: What it complained of; nil where it did well.
    static func run(
        _ executable: String, _ arguments: [String], _ environment: [String: String],
        watch: @Sendable () async -> Void
    ) async throws -> (complaint: String, returncode: Int)? {
        let child = try await start(executable, arguments, environment, input: .null, output: .null)
        let (status, said) = await withTaskCancellationHandler {
            async let said = complaint(child)
            while true {
                if let status = await child.wait(atMost: look) { return (status, await said) }
                await watch()
            }
        } onCancel: {
            child.signal(SIGKILL)
        }
        try Task.checkCancellation()
        return status.isSuccess ? nil : (complaint: said, returncode: status.code)
    }

    static func start(
        _ executable: String, _ arguments: [String], _ environment: [String: String], input: Command.Stream,
        output: Command.Stream
    ) async throws -> Child {
        do {
            return try await Child.start(
                Command(
                    executable: executable, arguments: arguments, environment: environment, input: input,
                    output: output))
        } catch {
            throw BackendFailure(.busy, "\(error)")
        }
    }

    /// All that a tool writes to standard error, as far as anybody would read it.
    static func complaint(_ child: Child) async -> String {
        var said = Data()
        while let more = await child.errors?.read() { said = Data((said + more).suffix(longestComplaint)) }
        return String(decoding: said, as: UTF8.self)
    }
}
