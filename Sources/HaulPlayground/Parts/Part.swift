import Foundation
import HaulProtocol

/// A part of the stack that was started: a real server or a worker.
public final class Part: Sendable {
    public let command: PartCommand
    private let child: Child

    public var name: String { command.name }
    public var pid: Int32 { child.pid }
    /// True until it has ended.
    public var runs: Bool { child.status == nil }

    /// Starts it; its log begins anew.
    static func start(_ command: PartCommand) async throws -> Part {
        try? FileManager.default.removeItem(atPath: command.log)
        do {
            let child = try await Child.start(
                Command(
                    executable: command.argv.first ?? "", arguments: Array(command.argv.dropFirst()),
                    environment: command.env, directory: command.cwd, output: .append(path: command.log),
                    errors: .append(path: command.log), newGroup: true))
            return Part(command: command, child: child)
        } catch let error as SpawnError {
            throw StackError("\(command.name): \(error.description)")
        }
    }

    private init(command: PartCommand, child: Child) {
        self.command = command
        self.child = child
    }

    /// Waits until it is ready.
    /// - Throws: ``StackError`` with the end of its log when it ends first, or is not within the limit.
    func wait(until ready: String, within limit: Duration = .seconds(30), _ condition: () async -> Bool) async throws {
        let isReady = await Readiness.holds(within: limit) { if runs { await condition() } else { true } }
        guard runs, isReady else {
            let what = runs ? "is not \(ready) after \(limit)" : "ended before it was \(ready)"
            let said = log.split(separator: "\n").suffix(8).map { "\n    \($0)" }.joined()
            throw StackError("\(name) \(what)" + (said.isEmpty ? "" : "; its log says:\(said)"))
        }
    }

    /// What it has printed.
    var log: String {
        FileManager.default.contents(atPath: command.log).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Its end, in words.
    func end() async -> String { "\(await child.wait())" }

    /// Ends it at once, as a crash would.
    public func kill() async {
        child.signal(SIGKILL)
        _ = await child.wait()
    }

    /// Ends it: SIGTERM, again after a while (a worker's second one means at once), SIGKILL.
    func stop() async {
        child.signal(SIGTERM)
        if await child.wait(atMost: .seconds(2)) == nil { await child.stop(grace: .seconds(3)) }
    }
}
