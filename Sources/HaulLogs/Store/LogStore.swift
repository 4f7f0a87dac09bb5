public import HaulModel

/// Attempt logs and listings, in a folder for each job: `ROOT/ab/LOG_UID/`.
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
/// Or they go to a bucket: what grows stays in `SPOOL/running/ab/LOG_UID/`, what is finished waits in `SPOOL/finished/` until
/// ``upload(onEvent:)`` has brought it to the bucket under `ab/LOG_UID/NAME`. Then a numbered file has a random number, as it
/// takes logs for a few seconds alone, and every name of a finished file is used once. What is acknowledged is on this
/// server's disk or in the bucket; what another server's spool still has is read through ``LogsElsewhere``.
///
/// Several servers may share a root, each under a number of its own; a file that grows is one server's. Blocking calls run on queues of its own. An `fsyncFailed` that any function
/// throws means that the server has to end its process.
public final class LogStore: Sendable {
    /// What grows.
    let folders: JobFolders
    /// What is finished: the same, or what waits for the bucket.
    let finished: JobFolders
    let spool: Spool?
    let elsewhere: (any LogsElsewhere)?
    let limits: LogLimits
    let appender: Appender
    let server: Int
    private let uploader: Uploader?
    private let lock: FolderLock?
    /// Writing of what grows: pieces of a job stay in order.
    let growing = WorkQueues("grow", count: 4)
    let reading = WorkQueues("read", count: 4)

    /// Logs in a folder. Makes the root (mode 0700) if it is missing.
    ///
    /// - Parameters:
    ///   - server: this server's number, from 1.
    ///   - elsewhere: asked for files that another server wrote and that are not here.
    ///   - isLocked: other processes under the same number are kept out.
    /// - Throws: `unusableRoot` with one line for the operator.
    public convenience init(
        root: String, limits: LogLimits = LogLimits(), server: Int = 1, elsewhere: (any LogsElsewhere)? = nil,
        isLocked: Bool = false
    ) throws(LogError) {
        try self.init(
            root: root, limits: limits, server: server, elsewhere: elsewhere, isLocked: isLocked, room: nil)
    }

    /// - Parameter room: how many of so many bytes the disk takes: how a test fills it.
    init(
        root: String, limits: LogLimits, server: Int = 1, elsewhere: (any LogsElsewhere)? = nil,
        isLocked: Bool = false, room: (@Sendable (Int) -> Int)?
    ) throws(LogError) {
        folders = try JobFolders(root: root, server: server, room: room)
        finished = folders
        lock = isLocked ? try FolderLock("\(root)/.server-\(server).lock", of: root) : nil
        spool = nil
        uploader = nil
        self.elsewhere = elsewhere
        self.limits = limits
        self.server = server
        appender = Appender(folders: folders, limits: limits)
    }

    /// Logs in a bucket.
    ///
    /// - Parameters:
    ///   - spoolBytes: what may wait for the bucket and grow, on this server's disk.
    ///   - server: this server's number, from 1.
    ///   - elsewhere: asked for files that another server wrote and that are not in the bucket yet.
    /// - Throws: `unusableRoot` with one line for the operator.
    public init(
        spool folder: SpoolFolder, spoolBytes: Int, bucket: BucketAddress, limits: LogLimits = LogLimits(), server: Int,
        elsewhere: (any LogsElsewhere)? = nil
    ) throws(LogError) {
        let spool = try Spool(folder, bytes: spoolBytes, bucket: bucket, server: server)
        folders = try JobFolders(root: folder.root + "/running", server: server)
        finished = spool.finished
        lock = nil
        self.spool = spool
        self.elsewhere = elsewhere
        var limits = limits
        // An object that goes up in one request.
        limits.numberedFile = min(limits.numberedFile, 8 << 20)
        self.limits = limits
        self.server = server
        appender = Appender(folders: spool.finished, limits: limits, space: spool.space)
        uploader = Uploader(spool: spool, appender: appender, limits: limits)
        spool.recount()
    }

    /// Brings what is finished to the bucket until its task is cancelled; returns at once where there is none.
    ///
    /// - Parameter onEvent: told when uploads begin to fail, with the cause, and with nil when they work again.
    public func upload(onEvent: @escaping @Sendable (String?) -> Void) async { await uploader?.run(onEvent: onEvent) }

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
    /// - Throws: `io` when something stays; `away` while the bucket can't be reached; `invalidKey`.
    public func removeJob(_ logUID: String) async throws(LogError) {
        try AttemptKey.validate(logUID: logUID)
        if let spool {
            try await appender.close(logUID) { () throws(LogError) in spool.remove(logUID) }
            while true {
                let keys = try await spool.bucket.keys(below: Spool.prefix(logUID))
                if keys.isEmpty { break }
                for key in keys { try await spool.bucket.delete(key) }
            }
        }
        try await dropScratch(logUID)
    }

    /// Removes what this server alone has of a job in its running folder.
    private func dropScratch(_ logUID: String) async throws(LogError) {
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

    /// The parts into which `scratchJobs` divides its jobs.
    public static let scratchShards = 256

    /// Jobs of which this server has something that no other sees; it may drop that once they have ended.
    ///
    /// - Parameter shard: which part of them, from 0.
    public func scratchJobs(shard: Int) async -> [String] {
        guard spool != nil else { return [] }
        let digits = String(shard % Self.scratchShards, radix: 16)
        let path = folders.root + "/" + (digits.utf8.count == 1 ? "0" : "") + digits
        let names = try? await reading[digits].run { () throws(LogError) in FolderRemoval.names(path) }
        return names?.filter { !$0.hasPrefix(".") } ?? []
    }

    /// Drops what this server alone has of a job that has ended: pieces that nobody asked for, what was sorted.
    public func dropScratch(ofEndedJob logUID: String) async throws(LogError) {
        try AttemptKey.validate(logUID: logUID)
        guard spool != nil else { return }
        try await dropScratch(logUID)
    }
}
