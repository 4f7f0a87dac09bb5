/// One element as a backend is told of it: the `element` line (`protocols/README.md`, "Standard input").
public struct ElementSpec: Sendable, Hashable {
    /// What every line about this element carries; `JOB.ELEMENT.ATTEMPT` from a worker, but opaque to a backend.
    public var id: String
    /// The path at the source site; a local absolute path for `put`. As the user wrote it: absolute, `~/...`, or
    /// relative (below `~/`).
    public var source: String
    /// The path at the destination; a local absolute path for `get`. Nil where the operation has none.
    public var destination: String?
    /// Bytes, where a listing said so; a hint.
    public var size: Int?
    /// `md5:HEX` of the content where it is known; what arrives must have it.
    public var checksum: String?
    /// Which try this is, from 1.
    public var attempt: Int
    /// True where no try is left: a failure must leave no part file behind.
    public var last: Bool
    /// The same for each attempt at the element: names the part file (``PartFile``).
    public var partSeed: String
    /// Where a `get` or `put` is one half of a copy between two protocols: the FIFO between their backends. The `get` waits to be
    /// asked for bytes of its source, and has no destination; the `put` asks for them, and its source is a path at the other site.
    public var pipe: String?

    public init(
        id: String, source: String, destination: String? = nil, size: Int? = nil, checksum: String? = nil,
        attempt: Int = 1, last: Bool = false, partSeed: String = "", pipe: String? = nil
    ) {
        self.id = id
        self.source = source
        self.destination = destination
        self.size = size
        self.checksum = checksum
        self.attempt = attempt
        self.last = last
        self.partSeed = partSeed.isEmpty ? id : partSeed
        self.pipe = pipe
    }
}
