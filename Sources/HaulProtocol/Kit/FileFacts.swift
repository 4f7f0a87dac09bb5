public import HaulModel

/// What a backend knows of one path before it decides: a `stat`, whatever the protocol calls it.
public struct FileFacts: Sendable, Hashable {
    public var kind: ListingEntry.Kind
    /// Bytes.
    public var size: Int
    /// Seconds since 1970; nil where the protocol does not say.
    public var modified: Int?
    /// The mode's permission bits; nil where the protocol does not say.
    public var permissions: Int?

    public init(kind: ListingEntry.Kind, size: Int = 0, modified: Int? = nil, permissions: Int? = nil) {
        self.kind = kind
        self.size = size
        self.modified = modified
        self.permissions = permissions
    }
}
