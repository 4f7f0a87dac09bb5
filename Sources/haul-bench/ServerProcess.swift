import Foundation

/// The server's process, as `playground.json` names it.
struct ServerProcess: Sendable {
    let pid: Int32
    private let argv: [String]
    private let directory: String
    private let environment: [String: String]

    /// - Parameter playground: path of `playground.json`.
    init(playground: String) throws {
        self.init(try PlaygroundFile.read(playground).part("hauld"))
    }

    init(_ part: PlaygroundFile.Part) {
        (pid, argv, directory, environment) = (part.pid, part.argv, part.cwd, part.env)
    }

    private init(_ other: ServerProcess, pid: Int32) {
        self.pid = pid
        (argv, directory, environment) = (other.argv, other.directory, other.environment)
    }

    /// The same, in the process that it was started again as.
    func running(as pid: Int32) -> ServerProcess { ServerProcess(self, pid: pid) }

    /// Resident memory now, in MiB.
    var memory: Double { Self.status(pid, "VmRSS:") }

    /// The most resident memory since ``forgetPeak()``, in MiB.
    var peakMemory: Double { Self.status(pid, "VmHWM:") }

    /// Processor time of all its threads so far, in seconds.
    var processorSeconds: Double {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return 0 }
        // After the name: state, then 10 more, then user and system time in ticks (proc(5)).
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        let ticks = fields.dropFirst(11).prefix(2).compactMap { Double($0) }.reduce(0, +)
        return ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Lets the peak begin anew (proc(5), clear_refs).
    func forgetPeak() throws {
        do { try "5".write(toFile: "/proc/\(pid)/clear_refs", atomically: false, encoding: .utf8) } catch {
            throw BenchError(message: "the peak memory of process \(pid) can't be reset: the server is another user's")
        }
    }

    /// Ends it as a crash would, and waits until it is gone.
    func kill() async throws {
        Foundation.kill(pid, SIGKILL)
        for _ in 0..<1000 where Self.runs(pid) { try await Task.sleep(for: .milliseconds(10)) }
        guard !Self.runs(pid) else { throw BenchError(message: "process \(pid) can't be ended") }
    }

    /// Starts it once more, as it was.
    ///
    /// - Returns: what keeps it.
    func start() throws -> Process { try run(Array(argv.dropFirst())) }

    /// Seconds for the same program to start and print its version.
    func bareStart() throws -> Double {
        let settings = argv.dropFirst().prefix { $0.contains("=") }
        let program = argv.dropFirst(1 + settings.count).prefix(1)
        let start = ContinuousClock.now
        try run(settings + program + ["--version"]).waitUntilExit()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    private func run(_ arguments: [String]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: argv[0])
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    /// False for one that has ended, also where nobody has asked for its status yet.
    private static func runs(_ pid: Int32) -> Bool {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
        return text.split(separator: ")").last?.split(separator: " ").first != "Z"
    }

    private static func status(_ pid: Int32, _ field: String) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return 0 }
        let line = text.split(separator: "\n").first { $0.hasPrefix(field) }
        let kibibytes = line?.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) }
        return (kibibytes ?? 0) / 1024
    }
}
