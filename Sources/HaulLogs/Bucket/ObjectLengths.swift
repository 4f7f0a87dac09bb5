import Synchronization

/// How long objects are that were asked for lately. They never change; forgotten all at once when they are many.
final class ObjectLengths: Sendable {
    private static let most = 10_000
    private let lengths = Mutex<[String: Int]>([:])

    subscript(key: String) -> Int? {
        get { lengths.withLock { $0[key] } }
        set {
            lengths.withLock { lengths in
                if lengths.count >= Self.most { lengths.removeAll() }
                lengths[key] = newValue
            }
        }
    }
}
