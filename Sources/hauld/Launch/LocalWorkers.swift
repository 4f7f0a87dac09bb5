import Foundation
import HaulEngine
import HaulModel
import HaulProtocol
import Synchronization

/// Workers as children of this process: the kernel ends them with it, however it ends.
final class LocalWorkers: WorkerPlace {
    private struct Worker {
        var child: Child
        let began = ContinuousClock.now
        var isEnding = false
        /// Seconds.
        var ran: Double { (ContinuousClock.now - began) / .seconds(1) }
    }

    private struct State {
        var workers: [Launch.Key: Worker] = [:]
    }

    let kind = Launch.Kind.server
    let period = 1.0
    private let folder: LaunchFolder
    private let log: @Sendable (String, String) -> Void
    private let state = Mutex(State())

    /// How long one may take to end once it was told to, before it is made to.
    private static let patience = Duration.seconds(5)
    /// Bytes of what it said that are kept.
    private static let kept = 2048

    init(_ folder: LaunchFolder, log: @escaping @Sendable (String, String) -> Void) {
        self.folder = folder
        self.log = log
    }

    func start(_ worker: NewWorker) async throws(LaunchProblem) -> String? {
        do {
            try await folder.make(worker)
            let child = try await Child.start(
                Command(
                    executable: folder.program, arguments: folder.arguments(of: worker.key),
                    environment: LaunchEnvironment.variables, input: .null, output: .null, errors: .pipe, newGroup: true
                ))
            state.withLock { $0.workers[worker.key] = Worker(child: child) }
            log("worker launched", "worker=\(worker.name) pid=\(child.pid)")
            listen(to: child, worker.name)
            return nil
        } catch {
            log("worker not launched", "worker=\(worker.name) cause=\(error)")
            await folder.remove([worker.key])
            let isMissing = (error as? SpawnError)?.code == ENOENT
            throw LaunchProblem(
                isMissing
                    ? "the worker's program is not there; operators: `launch.worker` in hauld.json5"
                    : "the worker could not be started; the server's log says why")
        }
    }

    func look() async throws -> [Launch.Key: WorkerSight] {
        state.withLock { state in
            state.workers.mapValues { worker in
                switch worker.child.status {
                case nil: .lives(nil)
                case .exited(0): .ended(nil)
                case .exited(let code):
                    .failed(
                        "the worker ended with exit code \(code); the server's log has its last words", ran: worker.ran)
                case .signalled(let number): .failed("the worker was ended by signal \(number)", ran: worker.ran)
                }
            }
        }
    }

    func end(_ keys: Set<Launch.Key>) async {
        for key in keys {
            let child: Child? = state.withLock { state in
                guard let worker = state.workers[key] else { return nil }
                if worker.child.status != nil {
                    state.workers[key] = nil
                    return nil
                }
                guard !worker.isEnding else { return nil }
                state.workers[key]?.isEnding = true
                return worker.child
            }
            if let child { Task { await Self.end(child) } }
        }
    }

    func leftovers() async -> Set<Launch.Key> { await folder.there() }

    func remove(leftoversOf keys: Set<Launch.Key>) async {
        await folder.remove(keys.subtracting(state.withLock { $0.workers.keys }))
    }

    /// Ends all of them; returns when none is left.
    func endAll() async {
        let children = state.withLock { $0.workers.values.map(\.child) }
        await withTaskGroup { group in
            for child in children { group.addTask { await Self.end(child) } }
        }
        await folder.remove(Set(state.withLock { $0.workers.keys }))
    }

    /// Twice told, a worker ends at once with all that it runs.
    private static func end(_ child: Child) async {
        child.signal(SIGTERM)
        if await child.wait(atMost: .milliseconds(100)) != nil { return }
        child.signal(SIGTERM)
        if await child.wait(atMost: patience) != nil { return }
        child.signal(SIGKILL)
        _ = await child.wait()
    }

    /// Reads what it says, of which the last is for the log where it ends otherwise than it should.
    private func listen(to child: Child, _ name: String) {
        let log = log
        Task {
            var tail: [UInt8] = []
            while let piece = await child.errors?.read() { tail = (tail + piece).suffix(Self.kept) }
            let status = await child.wait()
            guard status != .exited(0) else { return log("launched worker ended", "worker=\(name)") }
            log("launched worker failed", "worker=\(name) end=\(status) said=\(LaunchEnvironment.lastLine(tail))")
        }
    }
}

/// What launched workers are given of this process's environment: what tools need, and what configuration files name.
enum LaunchEnvironment {
    static let variables = Environment.allowed.merging(
        // HAUL_TOKEN is a token itself.
        ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("HAUL_") && $0.key != "HAUL_TOKEN" }
    ) { mine, _ in mine }

    static func lastLine(_ bytes: some Sequence<UInt8>) -> String {
        let lines = String(decoding: Array(bytes), as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.last.map { String($0.filter { !$0.unicodeScalars.contains { $0.value < 32 } }) } ?? ""
    }
}
