import HaulModel
import HaulStore
import Synchronization

/// Opens the directories of REMOVE jobs: those of the deepest depth at which something is left, once all that is deeper
/// has ended. A directory in which something failed fails without an attempt.
final class DepthOpener: Duty {
    let engine: Engine
    let name = "open-depths"
    let period = 5.0
    var bell: Bell { engine.depthBell }
    private let setbacks = Setbacks()
    private let rounds = Mutex(Rounds())

    init(engine: Engine) { self.engine = engine }

    func run() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let heard = bell.rings
        let after = rounds.withLock { rounds in
            rounds.begin(rings: heard)
            return rounds.last
        }
        let jobs = try await engine.store.read { try $0.openableRemovals(after: after, limit: limit) }
        let due = setbacks.due(jobs, now: engine.world.now())
        let failures = try await open(due)
        let hasMore = rounds.withLock { rounds in
            rounds.end(
                last: jobs.count < limit ? nil : jobs.last, didSome: failures.count < due.count, rings: bell.rings)
        }
        guard failures.isEmpty else {
            // Told of, and no reason to wait with what else there is.
            if hasMore { bell.ring() }
            throw FailedTurns(failures: failures)
        }
        return hasMore
    }

    /// Opens a share for each job, so that a large one holds up no other: all in one transaction, or where that fails each
    /// in its own.
    private func open(_ jobs: [Int]) async throws -> [(job: Int, cause: any Error)] {
        guard !jobs.isEmpty else { return [] }
        let share = max(1, engine.configuration.dutyPiece / jobs.count)
        do {
            try await open(jobs, share: share)
            jobs.forEach(setbacks.forget)
            return []
        } catch {
            if Setbacks.concernsAll(error) { throw error }
        }
        var failures: [(job: Int, cause: any Error)] = []
        for job in jobs {
            do {
                try await open([job], share: share)
                setbacks.forget(job)
            } catch {
                if Setbacks.concernsAll(error) { throw error }
                setbacks.note(job, now: engine.world.now())
                failures.append((job, error))
            }
        }
        return failures
    }

    private func open(_ jobs: [Int], share: Int) async throws {
        try await engine.transact(elements: share * jobs.count) { writer, ledger in
            for job in jobs {
                // While it expands, what is deeper may not all be there yet.
                guard let state = try ledger.known(job), state.expansion == nil,
                    let depth = try writer.reader.deepestOpen(ofJob: job)
                else { continue }
                let held = try writer.reader.heldElements(ofJob: job, depth: depth, limit: share)
                let kept = try writer.reader.keptDirectories(
                    among: held.map { KeptDirectory.hash($0.sourcePath) }, ofJob: job)
                for (place, element) in held.enumerated() {
                    _ = try ledger.apply(kept.contains(place) ? .childFailed : .opened, to: element)
                }
            }
        }
    }
}
