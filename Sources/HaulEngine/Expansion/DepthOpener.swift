import HaulModel
import HaulStore

/// Opens the directories of REMOVE jobs: those of the deepest depth at which something is left, once all that is deeper
/// has ended. A directory in which something failed fails without an attempt.
struct DepthOpener: Duty {
    let engine: Engine
    let name = "open-depths"
    let period = 5.0
    var bell: Bell { engine.depthBell }

    func run() async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        let jobs = try await engine.store.read { try $0.openableRemovals(limit: limit) }
        guard !jobs.isEmpty else { return false }
        try await engine.transact(elements: limit) { writer, ledger in
            // A share for each job: a large one holds up no other.
            let share = max(1, limit / jobs.count)
            for job in jobs {
                // While it expands, what is deeper may not all be there yet.
                guard try ledger.state(job).expansion == nil, let depth = try writer.reader.deepestOpen(ofJob: job)
                else { continue }
                for (element, isKept) in try writer.reader.heldElements(ofJob: job, depth: depth, limit: share) {
                    _ = try ledger.apply(isKept ? .childFailed : .opened, to: element)
                }
            }
        }
        return true
    }
}
