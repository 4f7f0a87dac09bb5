/// An element that expansion asks for, before it has an id.
public struct ElementSeed: Sendable, Hashable, Codable {
    public var type: Int
    public var source: String
    public var destination: String?
    /// Bytes.
    public var size: Int
    /// Components below the job's source.
    public var depth: Int
    /// It must wait until all that is deeper has ended: a directory of a REMOVE.
    public var isHeld: Bool

    public init(
        type: JobType, source: String, destination: String? = nil, size: Int = 0, depth: Int = 0, isHeld: Bool = false
    ) {
        self.type = type.rawValue
        self.source = source
        self.destination = destination
        self.size = size
        self.depth = depth
        self.isHeld = isHeld
    }

    public var jobType: JobType? { JobType(rawValue: type) }
}
