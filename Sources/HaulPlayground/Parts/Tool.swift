import Foundation
import HaulProtocol

/// A program that is run to its end.
enum Tool {
    struct Said: Sendable {
        var status: ExitStatus
        var output: String
        var errors: String
    }

    /// Runs it, and reads what it says, at most `limit` long.
    static func run(
        _ argv: [String], environment: [String: String] = Environment.allowed, within limit: Duration = .seconds(30)
    ) async throws -> Said {
        let child = try await Child.start(
            Command(
                executable: argv.first ?? "", arguments: Array(argv.dropFirst()), environment: environment,
                newGroup: true))
        async let output = text(child.output)
        async let errors = text(child.errors)
        if await child.wait(atMost: limit) == nil {
            await child.stop(grace: .seconds(1))
            throw StackError("\(argv.first ?? ""): no end after \(limit)")
        }
        return await Said(status: child.wait(), output: output, errors: errors)
    }

    private static func text(_ pipe: PipeReader?) async -> String {
        var bytes = Data()
        while let piece = await pipe?.read() { bytes += piece.prefix(max(0, (1 << 20) - bytes.count)) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
