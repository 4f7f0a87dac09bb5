import HaulModel
import HaulStore

/// Forgets idempotency keys that are too old to count.
struct KeyPruner: Duty {
    let engine: Engine
    let name = "prune-keys"
    let period = 60.0
    let bell = Bell()

    func run() async throws -> Bool {
        let oldest = engine.world.now().adding(seconds: -engine.configuration.idempotencySeconds)
        let limit = engine.configuration.dutyPiece
        let count = try await engine.store.write { try $0.forgetAnswers(before: oldest, limit: limit) }
        return count == limit
    }
}
