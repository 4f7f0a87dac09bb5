public import HaulModel

/// Attempt logs and listings on disk: `ab/LOG_UID/` below a root, a folder a job.
///
/// - `attempts-1.log`, `attempts-2.log` ...: logs one after the other, each under a header line
///   (`=== element E attempt N`, worker, time). Where one begins and ends is in its attempt's row: a line in a log's own
///   text that looks like a header is no header.
/// - `element-E.attempt-N.log`: a log that still grows, or that grew past a mebibyte.
/// - `element-E.attempt-N.listing.ndjson`: what a LIST found, a line an entry.
/// - `element-E.attempt-N.late-K.log`: the log of a report that came after its lease had ended.
///
/// Blocking calls run on queues of its own.
public final class LogStore: Sendable {
    let folders: JobFolders
    let limits: LogLimits
    let queues = WorkQueues("job", count: 4)
    let appender: LogAppender

    /// - Parameter root: made, 0700, where it is missing.
    /// - Throws: `.unusableRoot`, one clear line.
    public init(root: String, limits: LogLimits = LogLimits()) throws(LogError) {
        folders = try JobFolders(root: root)
        self.limits = limits
        appender = LogAppender(folders: folders, limits: limits)
    }

    /// Appends logs that came whole and makes them durable: those of all who ask at the same time together.
    ///
    /// - Returns: where each is, in order.
    public func append(_ logs: [FinishedLog]) async throws(LogError) -> [Attempt.LogPlace] {
        if logs.isEmpty { return [] }
        for log in logs { try log.key.validate() }
        return try await appender.append(logs)
    }

    /// Removes all that there is of a job.
    public func removeJob(_ logUID: String) async throws(LogError) {
        try AttemptKey.validate(logUID: logUID)
        try await queues[logUID].run { [folders] () throws(LogError) in
            folders.forget(logUID)
            try folders.remove(logUID)
        }
    }

    /// The line above a log.
    static func header(_ key: AttemptKey, worker: String, time: Timestamp, isLate: Bool = false) -> [UInt8] {
        let name = worker.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : String($0) }.joined()
        let mark = isLate ? " LATE" : ""
        return Array("=== element \(key.element) attempt \(key.attempt)\(mark) worker \(name) \(time.text)\n".utf8)
    }
}
