import Synchronization

/// Looks at jobs that somebody stands by: of all who stand by the same one, whoever comes first looks, for the others too.
final class Looks: Sendable {
    private struct Entry {
        var visitors = 0
        /// What its bell had rung when the latest look began, and when that was.
        var heard = -1
        var began = ContinuousClock.now
        var look: Task<Engine.Standing?, any Error>?
        /// What is ahead of it, as it was seen then.
        var ahead: (elements: Int, seen: ContinuousClock.Instant)?
        /// When it was written last that somebody stands by.
        var noted: ContinuousClock.Instant?
    }

    private let entries = Mutex<[Int: Entry]>([:])
    private let costs = Mutex(0.0)

    /// Jobs that somebody stands by.
    var count: Int { entries.withLock { $0.count } }

    /// Seconds that it takes to count what is ahead of a job, as of late.
    var cost: Double { costs.withLock { $0 } }

    func standing<Result>(by id: Int, _ body: () async throws -> Result) async throws -> Result {
        entries.withLock { $0[id, default: Entry()].visitors += 1 }
        defer {
            entries.withLock { entries in
                entries[id]?.visitors -= 1
                if entries[id]?.visitors == 0 { entries[id] = nil }
            }
        }
        return try await body()
    }

    /// The latest look at a job, if it began after the bell's last ring, and not long ago; else the one that `begin` begins.
    ///
    /// - Parameter within: seconds for which a look is good while nothing rings.
    func look(
        at id: Int, heard: Int, within: Double, _ begin: () -> Task<Engine.Standing?, any Error>
    ) -> Task<Engine.Standing?, any Error> {
        let now = ContinuousClock.now
        return entries.withLock { entries in
            var entry = entries[id] ?? Entry()
            if let look = entry.look, entry.heard >= heard, now - entry.began < .seconds(within) { return look }
            let look = begin()
            (entry.look, entry.heard, entry.began) = (look, heard, now)
            entries[id] = entry
            return look
        }
    }

    /// Whether it is to be written once more that somebody stands by a job: the first who asks is told so, and does it.
    func shouldNote(_ id: Int, every seconds: Double) -> Bool {
        let now = ContinuousClock.now
        return entries.withLock { entries in
            if let noted = entries[id]?.noted, now - noted < .seconds(seconds) { return false }
            entries[id]?.noted = now
            return true
        }
    }

    /// What was ahead of a job, if that was seen not long ago; nil where it is to be counted anew.
    func ahead(of id: Int, within: Double) -> Int? {
        let now = ContinuousClock.now
        return entries.withLock { entries in
            guard let known = entries[id]?.ahead, now - known.seen < .seconds(within) else { return nil }
            return known.elements
        }
    }

    /// Keeps what is ahead; nil where nothing can be told, so that it is counted when it can.
    ///
    /// - Parameter took: seconds for which it was counted.
    func keep(ahead: Int?, of id: Int, took: Double) {
        let now = ContinuousClock.now
        if ahead != nil { costs.withLock { $0 += (took - $0) / 8 } }
        entries.withLock { entries -> Void in
            entries[id]?.ahead = ahead.map { (elements: $0, seen: now) }
        }
    }
}
