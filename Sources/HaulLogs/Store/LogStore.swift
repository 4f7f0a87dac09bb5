public import HaulModel

/// Attempt logs and listings on disk, in a folder for each job: `ROOT/ab/LOG_UID/`.
///
/// | file | holds |
/// |---|---|
/// | `attempts-1.log`, `attempts-2.log` ... | finished logs, each under a header line; 64 MiB each |
/// | `attempts-s2-1.log` ... | the same, written by another server than the first |
/// | `element-E.attempt-N.log` | a log that grows, or a finished one past 1 MiB |
/// | `element-E.attempt-N.late-K.log` | the log of a report that came too late |
/// | `element-E.attempt-N.listing.ndjson` | a listing, a line an entry |
/// | `spill/` | a REMOVE's elements while they are sorted |
///
/// Several servers may share a root, each under a number of its own; a file that grows is one server's. Blocking calls run on queues of its own. An `fsyncFailed` that any function
/// throws means that the server has to end its process.
public final class LogStore: Sendable {
    let folders: JobFolders
    let limits: LogLimits
    let appender: Appender
    /// Writing of what grows: pieces of a job stay in order.
    let growing = WorkQueues("grow", count: 4)
    let reading = WorkQueues("read", count: 4)

    /// Makes the root (mode 0700) if it is missing.
    ///
    /// - Parameter server: this server's number, from 1.
    /// - Throws: `unusableRoot` with one line for the operator.
    public init(root: String, limits: LogLimits = LogLimits(), server: Int = 1) throws(LogError) {
        folders = try JobFolders(root: root, server: server)
        self.limits = limits
        appender = Appender(folders: folders, limits: limits)
    }

    /// Appends logs to their jobs' numbered files, one past `LogLimits.ownFile` to a file of its own. What concurrent
    /// callers bring is written and made durable together.
    ///
    /// - Returns: where each is, in order, durable.
    /// - Throws: `full`, `io`, `busy`, `invalidKey`: none of these logs is pointed at; `fsyncFailed`.
    public func append(_ logs: [FinishedLog]) async throws(LogError) -> [Attempt.LogPlace] {
        try await appender.append(
            logs.map { LogRecord(key: $0.key, worker: $0.worker, time: $0.time, content: .text($0.text)) })
    }

    /// Removes all that is kept of a job, which must have ended. Safe to repeat after a crash.
    ///
    /// - Throws: `io` when something stays; `invalidKey`.
    public func removeJob(_ logUID: String) async throws(LogError) {
        try AttemptKey.validate(logUID: logUID)
        let folders = folders
        let gone = folders.shard(logUID) + "/.gone-" + logUID
        try await appender.close(logUID) { () throws(LogError) in
            // A folder of an interrupted removal is in the way of the rename.
            try FolderRemoval.remove(gone)
            try FolderRemoval.rename(folders.folder(logUID), to: gone)
            folders.forget(logUID)
        }
        try await reading[logUID].run { () throws(LogError) in try FolderRemoval.remove(gone) }
    }
}
