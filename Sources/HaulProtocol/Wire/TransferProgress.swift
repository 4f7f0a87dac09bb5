/// How far an element has come: the numbers of a `progress` line.
public struct TransferProgress: Sendable, Hashable {
    /// Bytes moved by this attempt and those that it resumed from.
    public var transferred: Int
    /// Bytes to move; nil where that is not known.
    public var total: Int?
    /// Seconds since the element began.
    public var elapsed: Double
    /// Bytes/s over the last interval.
    public var instant: Double
    /// Bytes/s over ``elapsed``.
    public var average: Double

    public init(transferred: Int, total: Int? = nil, elapsed: Double, instant: Double, average: Double) {
        self.transferred = transferred
        self.total = total
        self.elapsed = elapsed
        self.instant = instant
        self.average = average
    }
}
