import HaulModel
import Synchronization

/// The bells of attempts whose logs somebody follows; what nobody follows has none.
final class Followers: Sendable {
    private struct Entry {
        var bell = Bell()
        var count = 0
    }

    private let entries = Mutex<[AttemptID: Entry]>([:])

    /// Runs `body` with the bell that rings when the attempt's log has grown, or has ended.
    func withBell(_ id: AttemptID, _ body: (Bell) async throws -> Void) async throws {
        let bell = entries.withLock { entries in
            entries[id, default: Entry()].count += 1
            return entries[id]?.bell ?? Bell()
        }
        defer {
            entries.withLock { entries in
                entries[id]?.count -= 1
                if entries[id]?.count == 0 { entries[id] = nil }
            }
        }
        try await body(bell)
    }

    /// An attempt's log has grown, or has ended.
    func ring(_ id: AttemptID) { entries.withLock { $0[id]?.bell }?.ring() }

    /// Attempts that are followed.
    var count: Int { entries.withLock { $0.count } }
}
