import HaulModel
import HaulStore
import Synchronization

/// Rings for the claims that are parked when the time of a breaker has come: one of them gets the element that tries.
final class Prober: Duty {
    let engine: Engine
    let name = "probe"
    let period = 0.5
    let bell = Bell()
    /// Milliseconds since 1970 until which it has looked.
    private let seen: Mutex<Int>

    init(engine: Engine) {
        self.engine = engine
        seen = Mutex(engine.world.now().milliseconds)
    }

    func run() async throws -> Bool {
        let now = engine.world.now().milliseconds
        // A clock that was put back has nothing new to say.
        let last = seen.withLock { min($0, now) }
        guard last < now else {
            seen.withLock { $0 = now }
            return false
        }
        let isDue = try await engine.store.read { reader in
            try reader.breakers().contains {
                $0.until.map { $0.milliseconds > last && $0.milliseconds <= now } ?? false
            }
        }
        // Only now: what a look that fails did not see, the next one does.
        seen.withLock { $0 = now }
        if isDue { engine.workBell.ring() }
        return false
    }
}
