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

/// Hrefs that are no children of the directory that was asked for: as many as a log can use.
final class Strange: Sendable {
    private static let most = 5
    private let found = Mutex<[String]>([])

    func add(_ href: String) {
        found.withLock { if $0.count < Self.most { $0.append(String(href.prefix(200))) } }
    }

    var hrefs: [String] { found.withLock { $0 } }
}
