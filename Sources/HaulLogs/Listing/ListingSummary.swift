/// What a listing that was found valid holds.
public struct ListingSummary: Sendable, Hashable {
    public var bytes: Int
    public var entries: Int
    public var directories: Int
}
