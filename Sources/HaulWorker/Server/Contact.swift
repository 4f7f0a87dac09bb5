import Synchronization

/// Whether the server answers: one line when it stops to, one when it does again; and at most one a minute of answers
/// that are no use.
final class Contact: Sendable {
    private let server: String
    private let log: WorkerLog
    private let isLost = Mutex(false)
    private let complained = Mutex<ContinuousClock.Instant?>(nil)

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

    /// It answers, but that something is wrong with it (5xx), or what nobody understands.
    func isFaulty(_ reason: String) {
        let now = ContinuousClock.now
        let isDue = complained.withLock { last in
            if let last, now - last < .seconds(60) { return false }
            last = now
            return true
        }
        if isDue { log("server-faulty", ["url": server, "reason": reason]) }
    }

    func worked() {
        let isNew = isLost.withLock { isLost in
            defer { isLost = false }
            return isLost
        }
        if isNew { log("server-back", ["url": server]) }
    }
}
