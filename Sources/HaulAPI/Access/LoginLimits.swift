/// Seconds for which a login is good.
public struct LoginLimits: Sendable, Hashable {
    public var usual: Double
    public var longest: Double

    public init(usual: Double = 43_200, longest: Double = 2_592_000) {
        self.usual = usual
        self.longest = longest
    }
}
