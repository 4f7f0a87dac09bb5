import Foundation
import HaulProcess
import HaulProtocol

/// `haul-playground demo`: what haul does, on real servers, with the commands that a person would type; every byte is
/// checked, and nothing is left.
public struct Demo: Sendable {
    public init() {}

    /// Shows it.
    /// - Returns: the exit code: 0 when all went as it should, 1 with what did not.
    public func run() async -> Int32 {
        let signals = await EndSignals([SIGTERM, SIGINT, SIGHUP])
        let start = ContinuousClock.now
        let (result, signal) = await signals.cancelling { try await Self.show() }
        if let signal {
            Console.line("\n\(signal): the demo was ended; nothing is left of it")
            return 1
        }
        switch result {
        case .failure(let error):
            Console.line("\nThe demo failed: \(error)")
            return 1
        case .success(let wrong) where wrong.isEmpty:
            let seconds = Figures.seconds((ContinuousClock.now - start) / .seconds(1))
            Console.line("\nAll checks passed, in \(seconds). Next: make playground DIR=/tmp/play")
            return 0
        case .success(let wrong):
            Console.line("\nThis did not go as it should:")
            wrong.forEach { Console.line("  \($0)") }
            return 1
        }
    }

    /// Starts everything, plays, ends everything.
    /// - Returns: what was wrong, a line each.
    private static func show() async throws -> [String] {
        var options = Stack.Options(directory: try StackFolder.temporary("haul-demo"))
        options.isTemporary = true
        options.hasS3 = true
        heading("Starting: two sshd, two apache2 with WebDAV, two GridFTP servers, S3, hauld on SQLite, one worker")
        let stack = try await Stack.start(options) { Console.line($0) }
        let pids = stack.parts.map(\.pid)
        var scenes = DemoScenes(stack)
        let wrong: [String]
        do {
            try await scenes.play()
            wrong = scenes.wrong
        } catch {
            await stack.stop()
            throw error
        }
        heading("Ending")
        let left = await stack.stop()
        return wrong + leftovers(left, pids: pids, folder: options.directory)
    }

    private static func leftovers(_ left: [Int32], pids: [Int32], folder: String) -> [String] {
        var wrong = left.map { "process \($0) could not be ended" }
        wrong += pids.filter { kill($0, 0) == 0 && !left.contains($0) }.map { "process \($0) still runs" }
        if FileManager.default.fileExists(atPath: folder) { wrong.append("\(folder) is still there") }
        if wrong.isEmpty { Console.line("\(pids.count) processes ended, none is left; \(folder) is gone") }
        return wrong
    }

    static func heading(_ text: String) {
        Console.line("\n\(text)\n\(String(repeating: "-", count: text.count))")
    }
}

/// Numbers as a person reads them.
enum Figures {
    static func seconds(_ seconds: Double) -> String { "\((seconds * 10).rounded() / 10) s" }

    /// Decimal megabytes.
    static func megabytes(_ bytes: Int) -> String { "\(((Double(bytes) / 1e5).rounded()) / 10) MB" }

    static func rate(_ bytes: Int, _ seconds: Double) -> String {
        "\(Int((Double(bytes) / 1e6 / max(seconds, 0.001)).rounded())) MB/s"
    }
}
