import HaulModel
import Synchronization

/// Group commit of finished logs: what callers bring while one group is made durable is the next group.
final class Appender: Sendable {
    typealias Answer = Result<[Attempt.LogPlace], LogError>

    struct Request: Sendable {
        var records: [LogRecord]
        var cost: Int
        var waiting: CheckedContinuation<Answer, Never>
    }

    private struct Pending {
        var requests: [Request] = []
        var bytes = 0
        var isWriting = false
    }

    let folders: JobFolders
    let limits: LogLimits
    private let space: SpoolSpace?
    private let pending = Mutex(Pending())
    /// Used on `queue` alone.
    private let files: Mutex<OpenNumberedFiles>
    private let queue = WorkQueue("append")
    /// Bytes of one group: what a caller waits for at most.
    private static let groupBytes = 32 << 20

    init(folders: JobFolders, limits: LogLimits, space: SpoolSpace? = nil) {
        self.space = space
        self.folders = folders
        self.limits = limits
        files = Mutex(OpenNumberedFiles(capacity: limits.openFiles))
    }

    /// Durable when it returns.
    func append(_ records: [LogRecord]) async throws(LogError) -> [Attempt.LogPlace] {
        if records.isEmpty { return [] }
        for record in records { try record.key.validate() }
        let cost = records.reduce(0) { $0 + $1.cost }
        try space?.reserve(cost)
        let answer: Answer = await withCheckedContinuation { waiting in
            let request = Request(records: records, cost: cost, waiting: waiting)
            let (isTaken, mustStart) = pending.withLock { pending in
                // One request alone is taken whatever its size: its bytes are in memory already.
                guard pending.bytes + cost <= limits.pendingBytes || pending.requests.isEmpty else {
                    return (false, false)
                }
                pending.requests.append(request)
                pending.bytes += cost
                defer { pending.isWriting = true }
                return (true, !pending.isWriting)
            }
            if !isTaken { waiting.resume(returning: .failure(.busy)) }
            if mustStart { queue.start { [self] in writeAll() } }
        }
        if case .failure = answer { space?.release(cost) }
        return try answer.get()
    }

    /// Ends files that have taken logs for so long.
    ///
    /// - Returns: names of those that still do, `LOG_UID.NAME`.
    func seal(olderThan age: Duration) async -> Set<String> {
        let sealed = try? await queue.run { [self] () throws(LogError) in
            files.withLock { $0.close(openedBefore: ContinuousClock().now - age) }
        }
        return sealed ?? []
    }

    /// Forgets a job's open file and does what follows, in order with the groups.
    func close(
        _ logUID: String, then work: @escaping @Sendable () throws(LogError) -> Void
    ) async throws(LogError) {
        try await queue.run { [self] () throws(LogError) in
            files.withLock { $0.close(logUID) }
            try work()
        }
    }

    private func writeAll() {
        while let group = nextGroup() {
            let answers = files.withLock { AppendGroup(self, group).write(&$0) }
            for (request, answer) in zip(group, answers) { request.waiting.resume(returning: answer) }
        }
    }

    private func nextGroup() -> [Request]? {
        pending.withLock { pending in
            var bytes = 0
            var count = 0
            while count < pending.requests.count, count == 0 || bytes + pending.requests[count].cost <= Self.groupBytes
            {
                bytes += pending.requests[count].cost
                count += 1
            }
            guard count > 0 else {
                pending.isWriting = false
                return nil
            }
            let group = Array(pending.requests[..<count])
            pending.requests.removeFirst(count)
            pending.bytes -= bytes
            return group
        }
    }
}
