/// The options that every protocol knows, typed; what each means for each operation stands in `protocols/README.md`.
public struct CommonOptions: Sendable, Hashable {
    /// When a file that is there already gives way.
    public enum Overwrite: String, Sendable, Hashable, CaseIterable { case never, different, always }
    /// What is compared after a copy.
    public enum Verify: String, Sendable, Hashable, CaseIterable { case none, size, checksum }
    /// What is done with a symbolic link.
    public enum Symlinks: String, Sendable, Hashable, CaseIterable { case fail, skip, follow }
    /// The checksums that a copy can be held against, by the names that manifests and checksums use; the order is the
    /// one of preference where nothing else decides.
    public enum ChecksumAlgorithm: String, Sendable, Hashable, CaseIterable { case md5, adler32, sha1, sha256, sha512 }

    /// How many levels a LIST goes below its path: 0 is the path itself, nil is all.
    public var depth: Int?
    public var overwrite: Overwrite
    public var verify: Verify
    /// Whether missing parent directories of a destination are made.
    public var parents: Bool
    public var symlinks: Symlinks
    /// Only what differs is copied, and what differs gives way.
    public var sync: Bool
    /// What ``Verify/checksum`` computes; nil leaves it to what both ends offer.
    public var checksumAlgorithm: ChecksumAlgorithm?
    /// Bytes/s that one element's bytes may move at; nil is without limit.
    public var bandwidth: Int?
    /// Parallel data connections of one file, for protocols that have them; nil leaves it to the protocol.
    public var streams: Int?

    /// The least ``bandwidth``: below it, nothing that waits for data tells slow from dead.
    public static let leastBandwidth = 1024
    /// The most ``streams``.
    public static let mostStreams = 64

    public init(
        depth: Int? = nil, overwrite: Overwrite = .never, verify: Verify = .size, parents: Bool = true,
        symlinks: Symlinks = .fail, sync: Bool = false, checksumAlgorithm: ChecksumAlgorithm? = nil,
        bandwidth: Int? = nil, streams: Int? = nil
    ) {
        self.depth = depth
        self.overwrite = overwrite
        self.verify = verify
        self.parents = parents
        self.symlinks = symlinks
        self.sync = sync
        self.checksumAlgorithm = checksumAlgorithm
        self.bandwidth = bandwidth
        self.streams = streams
    }

    /// Reads checked options; what is missing or ill-typed has its default (``specs``).
    public init(_ options: [String: JSONValue]) {
        let usual = CommonOptions()
        self.init(
            depth: options["depth"]?.int.map { Swift.max(0, $0) },
            overwrite: options["overwrite"]?.string.flatMap(Overwrite.init) ?? usual.overwrite,
            verify: options["verify"]?.string.flatMap(Verify.init) ?? usual.verify,
            parents: options["parents"]?.bool ?? usual.parents,
            symlinks: options["symlinks"]?.string.flatMap(Symlinks.init) ?? usual.symlinks,
            sync: options["sync"]?.bool ?? usual.sync,
            checksumAlgorithm: options["checksum_algorithm"]?.string.flatMap(ChecksumAlgorithm.init),
            bandwidth: options["bandwidth"]?.int.map { Swift.max(Self.leastBandwidth, $0) },
            streams: options["streams"]?.int.map { Swift.min(Swift.max(1, $0), Self.mostStreams) })
    }

    /// The declarations: a manifest need not repeat them, and may repeat one to give it another default.
    public static let specs: [OptionSpec] = [
        OptionSpec(name: "depth", type: .int, summary: "how many levels a LIST goes down; 0: the path alone", min: 0),
        OptionSpec(
            name: "overwrite", type: .enum, summary: "when an existing file gives way",
            values: Overwrite.allCases.map(\.rawValue), default: "never"),
        OptionSpec(
            name: "verify", type: .enum, summary: "what is compared after a copy",
            values: Verify.allCases.map(\.rawValue), default: "size"),
        OptionSpec(name: "parents", type: .bool, summary: "make missing parent directories", default: true),
        OptionSpec(
            name: "symlinks", type: .enum, summary: "what is done with a symbolic link",
            values: Symlinks.allCases.map(\.rawValue), default: "fail"),
        OptionSpec(
            name: "sync", type: .bool, summary: "copy only what differs, which then gives way", default: false),
        OptionSpec(
            name: "checksum_algorithm", type: .enum, summary: "what verify=checksum computes",
            values: ChecksumAlgorithm.allCases.map(\.rawValue)),
        OptionSpec(name: "bandwidth", type: .int, summary: "bytes/s at most for one element", min: leastBandwidth),
        OptionSpec(
            name: "streams", type: .int, summary: "parallel data connections of one file, where the protocol has them",
            min: 1, max: mostStreams),
        OptionSpec(name: "confirm", type: .bool, summary: "a REMOVE may take the root of a site"),
    ]
}
