import Synchronization

/// Whether the server answers: one line when it stops to, one when it does again.
final class Contact: Sendable {
    private let server: String
    private let log: WorkerLog
    private let isLost = Mutex(false)

    init(server: String, log: WorkerLog) {
        self.server = server
        self.log = log
    }

    func failed(_ reason: String) {
        let isNew = isLost.withLock { isLost in
            defer { isLost = true }
            return !isLost
        }
        if isNew { log("server-unreachable", ["url": server, "reason": reason]) }
    }

    func worked() {
        let isNew = isLost.withLock { isLost in
            defer { isLost = false }
            return isLost
        }
        if isNew { log("server-back", ["url": server]) }
    }
}
