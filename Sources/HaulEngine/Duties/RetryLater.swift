import HaulModel
import HaulStore

/// Makes elements ready whose wait between tries is over.
struct RetryLater: Duty {
    let engine: Engine
    let name = "retry-later"
    let period = 0.5
    let bell = Bell()

    func run() async throws -> Bool {
        let now = engine.world.now()
        let limit = engine.configuration.dutyPiece
        let due = try await engine.store.read { try $0.dueElements(now: now, limit: limit) }
        guard !due.isEmpty else { return false }
        try await engine.transact(elements: due.count) { _, ledger in
            for element in due { _ = try ledger.apply(.due, to: element) }
        }
        return due.count == limit
    }
}
