import Foundation
import HaulEngine
import HaulModel
import HaulProtocol
import Synchronization

/// Workers as jobs of a Slurm cluster. They are known again by their names, whichever server started them, and outlive it.
final class SlurmWorkers: WorkerPlace {
    private struct State {
        /// Jobs that live, as they were seen last.
        var jobs: [Launch.Key: String] = [:]
    }

    let kind = Launch.Kind.cluster
    let period: Double
    private let folder: LaunchFolder
    private let options: [String]
    private let tool: SlurmTool
    private let log: @Sendable (String, String) -> Void
    private let state = Mutex(State())

    init(
        _ config: LaunchConfig, _ folder: LaunchFolder, log: @escaping @Sendable (String, String) -> Void
    ) throws(StartError) {
        tool = try SlurmTool(conf: config.slurmConf)
        period = config.pollSeconds
        options = config.sbatch
        self.folder = folder
        self.log = log
    }

    func start(_ worker: NewWorker) async throws(LaunchProblem) -> String? {
        let own = folder.folder(of: worker.key)
        do {
            try await folder.make(worker, script: script(of: worker.key))
            let said = try await tool.run(
                "sbatch",
                options + [
                    "--parsable", "--job-name=\(folder.name(of: worker.key))", "--chdir=\(own)",
                    "--output=\(own.replacing("%", with: "%%"))/log", "--no-requeue", "--export=NIL", own + "/start",
                ])
            let job = said.prefix { $0.isNumber }
            guard !job.isEmpty else { throw SlurmTool.Failure(description: "sbatch said no number: \(said)") }
            log("worker launched", "worker=\(worker.name) slurm=\(job)")
            return Self.words(job)
        } catch {
            log("worker not launched", "worker=\(worker.name) cause=\(error)")
            throw LaunchProblem("Slurm did not take the worker; the server's log says why")
        }
    }

    func look() async throws -> [Launch.Key: WorkerSight] {
        let lines = try await tool.run("squeue", ["--me", "--noheader", "--states=all", "--format=%i|%j|%T|%M"])
        var seen: [Launch.Key: WorkerSight] = [:]
        var jobs: [Launch.Key: String] = [:]
        for line in lines.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "|")
            guard parts.count == 4, let key = folder.key(of: parts[1]) else { continue }
            let sight = Self.sight(of: parts[0], state: parts[2], ran: Self.seconds(parts[3]))
            seen[key] = sight
            if case .lives = sight { jobs[key] = String(parts[0]) }
        }
        state.withLock { [jobs] in $0.jobs = jobs }
        return seen
    }

    func end(_ keys: Set<Launch.Key>) async {
        var jobs = state.withLock { $0.jobs.filter { keys.contains($0.key) }.values.sorted() }
        while !jobs.isEmpty, !Task.isCancelled {
            let some = Array(jobs.prefix(Self.together))
            jobs.removeFirst(some.count)
            do { _ = try await tool.run("scancel", some) } catch {
                return log("workers not ended", "slurm=\(some.joined(separator: ",")) cause=\(error)")
            }
        }
    }

    /// Jobs that one scancel ends.
    private static let together = 500

    func leftovers() async -> Set<Launch.Key> { await folder.there() }

    func remove(leftoversOf keys: Set<Launch.Key>) async {
        // One that lives still writes its log.
        let words = await folder.remove(keys.subtracting(state.withLock { $0.jobs.keys }))
        for (key, words) in words.sorted(by: { $0.key.launch < $1.key.launch }) {
            log("launched worker gone", "job=\(folder.name(of: key)) said=\(words)")
        }
    }

    private static func words(_ job: some StringProtocol) -> String { "Slurm job \(job)" }

    /// squeue(1), "JOB STATE CODES".
    private static func sight(of job: some StringProtocol, state: some StringProtocol, ran: Double) -> WorkerSight {
        switch state {
        case "COMPLETED": .ended(nil)
        case "CANCELLED": .ended("\(words(job)) was cancelled")
        case "BOOT_FAIL", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT":
            .failed("\(words(job)) ended: \(state)", ran: ran)
        default: .lives(words(job))
        }
    }

    /// `1-02:03:04`, `02:03:04`, `3:04`; 0 for what is none.
    private static func seconds(_ text: some StringProtocol) -> Double {
        let parts = text.split(separator: "-")
        let days = parts.count == 2 ? Double(parts[0]) ?? 0 : 0
        let units = (parts.last ?? "").split(separator: ":").compactMap { Double($0) }
        return days * 86_400 + units.reduce(0) { $0 * 60 + $1 }
    }

    private func script(of key: Launch.Key) -> String {
        let variables = LaunchEnvironment.variables.sorted { $0.key < $1.key }
        let words = [folder.program] + folder.arguments(of: key)
        return """
            #!/bin/sh
            \(variables.map { "export \($0.key)=\(Self.quoted($0.value))" }.joined(separator: "\n"))
            exec \(words.map(Self.quoted).joined(separator: " "))

            """
    }

    private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "'\\''"))'" }
}

/// Slurm's commands.
struct SlurmTool: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private static let patience = Duration.seconds(30)
    private static let longest = 16 << 20

    private let tools: [String: String]
    private let environment: [String: String]

    init(conf: String?) throws(StartError) {
        var tools: [String: String] = [:]
        for name in ["sbatch", "squeue", "scancel"] {
            guard let path = ToolPath.find(name) else {
                throw StartError(message: "launch: there is no \(name) in PATH (Debian's package slurm-client)")
            }
            tools[name] = path
        }
        self.tools = tools
        environment = Environment.allowed.merging(conf.map { ["SLURM_CONF": $0] } ?? [:]) { $1 }
    }

    /// What it said, once it ended well.
    func run(_ name: String, _ arguments: [String]) async throws -> String {
        let child = try await Child.start(
            Command(
                executable: tools[name] ?? name, arguments: arguments, environment: environment, newGroup: true))
        let deadline = Task {
            try await Task.sleep(for: Self.patience)
            child.signal(SIGKILL)
        }
        defer { deadline.cancel() }
        async let output = Self.read(child.output, child)
        async let errors = Self.read(child.errors, child)
        let (said, complaint) = await (output, errors)
        let status = await child.wait()
        guard status == .exited(0) else {
            throw Failure(description: "\(name) \(status): \(LaunchEnvironment.lastLine(complaint))")
        }
        return String(decoding: said, as: UTF8.self)
    }

    private static func read(_ pipe: PipeReader?, _ child: Child) async -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = await pipe?.read() {
            bytes += piece
            if bytes.count > longest {
                child.signal(SIGKILL)
                break
            }
        }
        return bytes
    }
}
