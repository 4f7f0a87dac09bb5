import Foundation
import HaulProtocol
import Synchronization

/// Runs commands as a person would type them, and shows both the line and what the program answers.
struct Typed: Sendable {
    /// The folder of the programs.
    let programs: String
    let environment: [String: String]
    /// Lines shown of one answer before the middle is left out.
    private static let shown = 12
    private static let lastShown = 4

    struct Answer: Sendable {
        var status: ExitStatus
        /// All that was printed.
        var lines: [String]
        var seconds: Double
    }

    /// Runs one command to its end.
    /// - Throws: ``StackError`` when it does not end within `limit`.
    func callAsFunction(_ words: String..., within limit: Duration = .seconds(120)) async throws -> Answer {
        Console.line("\n$ \(words.map(ShellWord.quoted).joined(separator: " "))")
        let clock = ContinuousClock.now
        let child = try await Child.start(
            Command(
                executable: "\(programs)/\(words.first ?? "")", arguments: Array(words.dropFirst()),
                environment: environment, newGroup: true))
        let answer = Page(shown: Self.shown)
        async let output: Void = answer.read(child.output)
        async let errors: Void = answer.read(child.errors)
        let status = await withTaskCancellationHandler {
            await child.wait(atMost: limit)
        } onCancel: {
            child.signal(SIGKILL)
        }
        if status == nil { await child.stop(grace: .seconds(1)) }
        _ = await (output, errors)
        let lines = answer.end(lastShown: Self.lastShown)
        try Task.checkCancellation()
        guard let status else { throw StackError("\(words.joined(separator: " ")): no end after \(limit)") }
        return Answer(status: status, lines: lines, seconds: (ContinuousClock.now - clock) / .seconds(1))
    }

    /// What is printed, as it comes, until it gets too long to be of use on a screen.
    private final class Page: Sendable {
        private let lines = Mutex<[String]>([])
        private let shown: Int

        init(shown: Int) { self.shown = shown }

        func read(_ pipe: PipeReader?) async {
            var rest: [UInt8] = []
            while let piece = await pipe?.read() {
                rest += piece
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    add(String(decoding: rest[..<end], as: UTF8.self))
                    rest.removeFirst(end + 1)
                }
            }
            if !rest.isEmpty { add(String(decoding: rest, as: UTF8.self)) }
        }

        private func add(_ line: String) {
            let count = lines.withLock { lines in
                lines.append(line)
                return lines.count
            }
            if count <= shown { Console.line(line) }
        }

        /// Prints the last lines, and how many were left out.
        func end(lastShown: Int) -> [String] {
            let lines = lines.withLock { $0 }
            let hidden = lines.dropFirst(shown)
            if hidden.count > lastShown { Console.line("      ... \(hidden.count - lastShown) more lines ...") }
            hidden.suffix(lastShown).forEach(Console.line)
            return lines
        }
    }
}
