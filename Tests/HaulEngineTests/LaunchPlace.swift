import HaulModel
import Synchronization
import Testing

@testable import HaulEngine

/// A place where nothing runs but what a test says.
final class LaunchPlace: WorkerPlace {
    private struct State {
        var workers: [Launch.Key: WorkerSight] = [:]
        var started: [NewWorker] = []
        var refusal: String?
        var isAway = false
        var folders: Set<Launch.Key> = []
        var between: Step?
    }

    struct Step: Sendable { var run: @Sendable () async throws -> Void }

    struct Away: Error {}

    let kind: Launch.Kind
    let period = 1.0
    private let state = Mutex(State())

    init(_ kind: Launch.Kind = .server) { self.kind = kind }

    var started: [NewWorker] { state.withLock { $0.started } }
    var folders: Set<Launch.Key> { state.withLock { $0.folders } }
    var living: Set<Launch.Key> { state.withLock { Set($0.workers.keys) } }

    func refuse(_ reason: String?) { state.withLock { $0.refusal = reason } }
    func see(_ sight: WorkerSight?, of key: Launch.Key) { state.withLock { $0.workers[key] = sight } }
    func leave(_ key: Launch.Key) { _ = state.withLock { $0.folders.insert(key) } }
    func goAway(_ isAway: Bool) { state.withLock { $0.isAway = isAway } }

    func start(_ worker: NewWorker) async throws(LaunchProblem) -> String? {
        let refusal = state.withLock { state in
            if state.refusal == nil { state.workers[worker.key] = .lives("job \(worker.key.text)") }
            state.started.append(worker)
            state.folders.insert(worker.key)
            return state.refusal
        }
        if let refusal { throw LaunchProblem(refusal) }
        return "job \(worker.key.text)"
    }

    func look() async throws -> [Launch.Key: WorkerSight] {
        try state.withLock { state in
            if state.isAway { throw Away() }
            return state.workers
        }
    }

    func end(_ keys: Set<Launch.Key>) async { state.withLock { for key in keys { $0.workers[key] = nil } } }

    /// What another server does once this one has looked at what is left.
    func afterLooking(_ step: @escaping @Sendable () async throws -> Void) {
        state.withLock { $0.between = Step(run: step) }
    }

    func leftovers() async -> Set<Launch.Key> {
        let (folders, step) = state.withLock { state in
            defer { state.between = nil }
            return (state.folders, state.between)
        }
        do { try await step?.run() } catch { Issue.record(error) }
        return folders
    }

    func remove(leftoversOf keys: Set<Launch.Key>) async { state.withLock { $0.folders.subtract(keys) } }
}
