import Synchronization

/// What was seen of a file that has just arrived, for whoever looks at it next.
final class Arrival: Sendable {
    private let fact = Mutex<FactLine?>(nil)
    private let sure = Mutex(0)

    /// Bytes before the end of what is there that may be missing (``CopyTraits/unsure``).
    var unsure: Int {
        get { sure.withLock { $0 } }
        set { sure.withLock { $0 = newValue } }
    }

    func saw(_ seen: FactLine?) { fact.withLock { $0 = seen } }

    /// Once; nil where nothing was seen.
    func take() -> FactLine? {
        fact.withLock { fact in
            defer { fact = nil }
            return fact
        }
    }
}
