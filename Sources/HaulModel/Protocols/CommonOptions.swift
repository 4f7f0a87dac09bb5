/// The options that every protocol knows, typed; what each means for each operation stands in `protocols/README.md`.
public struct CommonOptions: Sendable, Hashable {
    /// When a file that is there already gives way.
    public enum Overwrite: String, Sendable, Hashable, CaseIterable { case never, different, always }
    /// What is compared after a copy.
    public enum Verify: String, Sendable, Hashable, CaseIterable { case none, size, checksum }
    /// What is done with a symbolic link.
    public enum Symlinks: String, Sendable, Hashable, CaseIterable { case fail, skip, follow }

    /// How many levels a LIST goes below its path: 0 is the path itself, nil is all.
    public var depth: Int?
    public var overwrite: Overwrite
    public var verify: Verify
    /// Whether missing parent directories of a destination are made.
    public var parents: Bool
    public var symlinks: Symlinks

    public init(
        depth: Int? = nil, overwrite: Overwrite = .never, verify: Verify = .size, parents: Bool = true,
        symlinks: Symlinks = .fail
    ) {
        self.depth = depth
        self.overwrite = overwrite
        self.verify = verify
        self.parents = parents
        self.symlinks = symlinks
    }

    /// Reads checked options; what is missing or ill-typed has its default (``specs``).
    public init(_ options: [String: JSONValue]) {
        let usual = CommonOptions()
        self.init(
            depth: options["depth"]?.int.map { Swift.max(0, $0) },
            overwrite: options["overwrite"]?.string.flatMap(Overwrite.init) ?? usual.overwrite,
            verify: options["verify"]?.string.flatMap(Verify.init) ?? usual.verify,
            parents: options["parents"]?.bool ?? usual.parents,
            symlinks: options["symlinks"]?.string.flatMap(Symlinks.init) ?? usual.symlinks)
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
    ]
}
