import Synchronization

/// Bells of things that somebody waits for, by name; what nobody waits for has none. A thousand that wait cost no thread.
final class Bells<Name: Hashable & Sendable>: Sendable {
    private struct Entry {
        var bell = Bell()
        var count = 0
    }

    private let entries = Mutex<[Name: Entry]>([:])

    /// Runs `body` with the bell of this name.
    func withBell(_ name: Name, _ body: (Bell) async throws -> Void) async throws {
        let bell = entries.withLock { entries in
            entries[name, default: Entry()].count += 1
            return entries[name]?.bell ?? Bell()
        }
        defer {
            entries.withLock { entries in
                entries[name]?.count -= 1
                if entries[name]?.count == 0 { entries[name] = nil }
            }
        }
        try await body(bell)
    }

    /// Wakes whoever waits for it.
    func ring(_ name: Name) { entries.withLock { $0[name]?.bell }?.ring() }

    /// Wakes all that wait for anything.
    func ringAll() {
        for bell in entries.withLock({ $0.values.map(\.bell) }) { bell.ring() }
    }

    /// Names that somebody waits for.
    var count: Int { entries.withLock { $0.count } }
}
