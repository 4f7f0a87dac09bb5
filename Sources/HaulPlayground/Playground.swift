import Foundation
import HaulProcess
import HaulProtocol

/// `haul-playground run`: a stack that runs until it is told to end, for people and tests of any kind.
public struct Playground: Sendable {
    private let options: Stack.Options

    /// - Parameters:
    ///   - directory: The stack's folder; empty, or an earlier playground's.
    ///   - workers: How many of them.
    public init(directory: String, workers: Int) {
        var options = Stack.Options(directory: directory)
        options.workers = workers
        options.hasS3 = true
        self.options = options
    }

    /// Runs it until SIGTERM, SIGINT or SIGHUP.
    /// - Returns: the exit code.
    public func run() async -> Int32 {
        let signals = await EndSignals([SIGTERM, SIGINT, SIGHUP])
        let options = options
        let (start, signal) = await signals.cancelling {
            try await Stack.start(options) { Console.line($0) }
        }
        let stack: Stack
        switch start {
        case .success(let started): stack = started
        case .failure(let error):
            guard signal == nil else { return 0 }
            Console.complain("\(error)")
            return 1
        }
        do {
            // A signal that came in the last moment of the start ends it as well as one that comes now.
            if signal == nil {
                Self.instructions(stack, document: try stack.writeDocument())
                let watches = stack.parts.map { part in Task { await Self.report(part, of: stack) } }
                let name = await signals.next() ?? ""
                watches.forEach { $0.cancel() }
                Console.line("\(name): ending")
            }
        } catch {
            Console.complain("\(error)")
            await stack.stop()
            return 1
        }
        let left = await stack.stop()
        guard left.isEmpty else {
            Console.complain("processes \(left) could not be ended")
            return 1
        }
        Console.line("ended")
        return 0
    }

    /// A part's end is said, and does not end the rest; so is its new start.
    private static func report(_ part: Part, of stack: Stack) async {
        var end = await part.end()
        var pid = part.pid
        while !Task.isCancelled {
            Console.line(
                "\(part.name): process \(pid) \(end); the rest goes on. playground.json says how to start it again")
            do {
                guard let next = try await stack.successor(of: part) else { return }
                pid = next
            } catch {
                return Console.complain("\(error)")
            }
            Console.line("\(part.name): process \(pid) goes on with it; playground.json says so")
            while !Task.isCancelled, part.command.isRun(by: pid) { try? await Task.sleep(for: .milliseconds(500)) }
            end = "ended"
        }
    }

    private static let idle = """

        No worker runs (WORKERS=0): what ends with --wait waits for one of yours. Its token is in playground.json.

        """

    private static func instructions(_ stack: Stack, document: String) {
        func quoted(_ text: String) -> String { ShellWord.quoted(text) }
        let folder = stack.folder
        let site = stack.sites["ssh-a"]?.path ?? ""
        Console.line(
            """

            All of it runs; \(document) says where. Type in another terminal:

                export PATH=\(quoted(stack.installation.programs)):"$PATH"
                export HAUL_URL=\(quoted(stack.url))
                export HAUL_TOKEN_FILE=\(quoted(folder.secrets + "/alice.token"))

                echo hello > \(quoted(site + "/hello.txt"))
                haul list ssh-a:\(quoted(site)) --wait
                haul copy ssh-a:\(quoted(site + "/hello.txt")) ssh-b:\(quoted(folder.site("ssh-b") + "/hello.txt")) --wait
                haul copy ssh-a:\(quoted(site + "/hello.txt")) http-a:\(HTTPPart.path)/hello.txt --wait
                haul list fake-a:/fail/permission/here --wait
                haul jobs
            \(stack.parts.contains { $0.name.hasPrefix("worker-") } ? "" : Self.idle)
            Ctrl-C, or kill \(getpid()), ends all of it.
            """)
    }
}

/// Words as a person types them into a shell.
enum ShellWord {
    /// The word itself where a shell takes it as it is, else in quotes.
    static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-_./:,=+@%".utf8.contains(byte)
            }
        }
        if plain && !word.isEmpty { return word }
        return "'" + word.replacing("'", with: "'\\''") + "'"
    }
}
