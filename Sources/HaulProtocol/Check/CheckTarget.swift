public import HaulModel

/// What a conformance run is made against.
public struct CheckTarget: Sendable {
    public var discovered: DiscoveredProtocol
    /// The site, with endpoints, options and credential files.
    public var site: SiteSpec
    /// The worker-side settings of the protocol.
    public var settings: [String: JSONValue]
    /// A directory at the site that may be written; the run makes a directory of its own in it and removes it.
    public var base: String
    /// The same directory on this machine's disk, where it is there: for what no protocol can be asked to make.
    public var disk: String?
    /// A local directory for source files, what is fetched, and the batches' scratch.
    public var local: String
    /// Bytes of the large file.
    public var largeBytes: Int
    /// Bytes of the file whose transfer is cut off at four fifths: so many that what a protocol keeps in its pipes and parts
    /// is less than a tenth.
    public var resumeBytes: Int
    public static let usualResumeBytes = 1 << 30
    /// Files of the tree.
    public var treeFiles: Int
    /// False for a protocol that only pretends (`fake`): the cases about data do not apply.
    public var keepsData: Bool

    public init(
        discovered: DiscoveredProtocol, site: SiteSpec, settings: [String: JSONValue] = [:], base: String,
        disk: String? = nil, local: String, largeBytes: Int = 64 << 20, resumeBytes: Int = usualResumeBytes,
        treeFiles: Int = 1000, keepsData: Bool = true
    ) {
        self.discovered = discovered
        self.site = site
        self.settings = settings
        self.base = base
        self.disk = disk
        self.local = local
        self.largeBytes = largeBytes
        self.resumeBytes = resumeBytes
        self.treeFiles = treeFiles
        self.keepsData = keepsData
    }
}
