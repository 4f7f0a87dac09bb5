public import HaulModel

/// What a backend knows of one path before it decides: a `stat`, whatever the protocol calls it.
public struct FileFacts: Sendable, Hashable {
    public var kind: ListingEntry.Kind
    /// Bytes.
    public var size: Int
    /// Seconds since 1970; nil where the protocol does not say.
    public var modified: Int?
    /// Nanoseconds past ``modified``; nil where the protocol knows whole seconds alone.
    public var nanoseconds: Int?
    /// The mode's permission bits; nil where the protocol does not say.
    public var permissions: Int?
    /// Another text whenever the content is another one (an `ETag`, a time to the nanosecond); nil where there is no
    /// such thing. Only ever compared with that of the same path.
    public var version: String?

    public init(
        kind: ListingEntry.Kind, size: Int = 0, modified: Int? = nil, nanoseconds: Int? = nil,
        permissions: Int? = nil, version: String? = nil
    ) {
        self.kind = kind
        self.size = size
        self.modified = modified
        self.nanoseconds = nanoseconds
        self.permissions = permissions
        self.version = version
    }
}

extension FileFacts {
    /// Whether a source is what it was, as far as both looks tell.
    public func isStill(_ old: FileFacts) -> Bool {
        guard size == old.size else { return false }
        if let version, let other = old.version { return version == other }
        guard let modified, let other = old.modified else { return true }
        return modified == other
    }
}
