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
        let jobs = try await engine.store.read { try $0.openRemovals() }
        var hasMore = false
        for job in jobs where try await open(job) { hasMore = true }
        return hasMore
    }

    /// - Returns: true when it opened something, so that there may be more.
    private func open(_ job: Int) async throws -> Bool {
        let limit = engine.configuration.dutyPiece
        return try await engine.transact { writer, ledger in
            // While it expands, what is deeper may not all be there yet.
            guard try writer.reader.jobState(job)?.expansion == nil,
                let depth = try writer.reader.deepestOpen(ofJob: job)
            else { return false }
            let held = try writer.reader.heldElements(ofJob: job, depth: depth, limit: limit)
            for (element, isKept) in held { _ = try ledger.apply(isKept ? .childFailed : .opened, to: element) }
            return !held.isEmpty
        }
    }
}
