import Synchronization

/// The first few children of a directory, gathered on the thread that reads the answer.
final class Kept: Sendable {
    private let most: Int
    private let found = Mutex<[Member]>([])

    init(most: Int) { self.most = most }

    func add(_ child: Member) {
        found.withLock { if $0.count < most { $0.append(child) } }
    }

    var children: [Member] { found.withLock { $0 } }
}
