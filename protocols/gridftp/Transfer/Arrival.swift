import Synchronization

/// What was seen of a file that has just arrived, for whoever looks at it next.
final class Arrival: Sendable {
    private let fact = Mutex<FactLine?>(nil)

    func saw(_ seen: FactLine?) { fact.withLock { $0 = seen } }

    /// Once; nil where nothing was seen.
    func take() -> FactLine? {
        fact.withLock { fact in
            defer { fact = nil }
            return fact
        }
    }
}
