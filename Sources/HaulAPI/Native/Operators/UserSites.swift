public import HaulModel

/// Which sites users may make for themselves.
public struct UserSites: Sendable {
    /// Sites of one user; 0: operators alone make sites.
    public var most: Int
    /// Their protocols. One that moves files of the worker itself would let its maker reach those of others.
    public var protocols: Set<ProtocolName>
    /// What a protocol takes of a site; nil where it has no manifest here.
    public var options: @Sendable (ProtocolName) -> [OptionSpec]?

    public init(
        most: Int = 0, protocols: Set<ProtocolName> = [],
        options: @escaping @Sendable (ProtocolName) -> [OptionSpec]? = { _ in nil }
    ) {
        self.most = most
        self.protocols = protocols
        self.options = options
    }
}
