public import HaulModel

/// What a backend is told once, before any element: the `batch` line (`protocols/README.md`, "Standard input").
public struct BatchSpec: Sendable, Hashable, Codable {
    /// The version of the wire contract that this code speaks.
    public static let version = 1

    public var operation: ProtocolOperation
    /// The job's options, merged with the manifest's defaults.
    public var options: [String: JSONValue]
    public var source: SiteSpec
    /// The other site of a `copy`; nil for all else (the other side of `get` and `put` is a local path).
    public var destination: SiteSpec?
    /// What the worker's configuration says to this protocol (`settings` of the manifest).
    public var settings: [String: JSONValue]
    /// Seconds that one element may go without progress.
    public var timeout: Int
    /// A private directory (0700) that goes with the batch: for control sockets, lists, configuration of tools.
    public var scratch: String
    /// The directory for file data in transit, where a backend has to put some on disk.
    public var spool: String
    /// Bytes that the batch may keep in ``spool`` at a time.
    public var spoolBytes: Int
    /// The most elements that are sent without their result having been seen.
    public var concurrency: Int
    /// The hosts that the backend may talk to, also where a server sends it on; nil is any. A proxy of ``settings`` is not
    /// among them.
    public var hosts: HostList?

    public init(
        operation: ProtocolOperation, options: [String: JSONValue] = [:], source: SiteSpec,
        destination: SiteSpec? = nil, settings: [String: JSONValue] = [:], timeout: Int = 120, scratch: String,
        spool: String, spoolBytes: Int = 1 << 30, concurrency: Int = 4, hosts: HostList? = nil
    ) {
        self.operation = operation
        self.options = options
        self.source = source
        self.destination = destination
        self.settings = settings
        self.timeout = timeout
        self.scratch = scratch
        self.spool = spool
        self.spoolBytes = spoolBytes
        self.concurrency = concurrency
        self.hosts = hosts
    }

    /// The options that every protocol knows.
    public var common: CommonOptions { CommonOptions(options) }

    private enum CodingKeys: String, CodingKey {
        case operation, options, source, destination, settings, timeout, scratch, spool
        case spoolBytes = "spool_bytes"
        case concurrency, hosts
    }
}
