/// The sizes at which logs and listings change their form or are refused. All are bytes unless they say otherwise.
public struct LogLimits: Sendable, Hashable {
    /// A log longer than this has a file of its own.
    public var ownFile = 1 << 20
    /// A numbered file that has reached this is followed by the next one.
    public var numberedFile = 64 << 20
    /// A log is cut here and ends with a line that says so.
    public var log = 64 << 20
    /// A listing past this is refused.
    public var listing = 1 << 30
    /// A line of a listing past this is refused.
    public var listingLine = 64 << 10
    /// Late logs that are kept of one attempt, in number.
    public var lateLogs = 4
    /// A late log is cut here.
    public var lateLog = 1 << 20
    /// Texts that may wait to be appended, over all callers.
    public var pendingBytes = 256 << 20
    /// Numbered files that are kept open, in number.
    public var openFiles = 64
    /// A group that touches more files than this is made durable by one `syncfs(2)` instead of an `fdatasync(2)` each.
    /// On ext4 an `fdatasync` took 0.16 ms and a `syncfs` about 0.8 ms; the latter also waits for what others write to
    /// the same file system, so it has to be worth more than that.
    public var filesSyncedEach = 8
    /// Where logs go to a bucket: seconds for which a numbered file takes further logs before it goes up.
    public var uploadAfter = 5.0
    /// Lines that `DepthSpill` holds in memory before it writes them.
    public var spillBuffer = 8 << 20

    public init() {}
}
