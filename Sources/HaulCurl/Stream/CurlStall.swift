/// How long a request that streams has not moved: where it is the other side that does nothing.
struct CurlStall {
    let seconds: Int
    private var moved = 0
    private var since = ContinuousClock.now
    /// Nothing came for so long.
    private(set) var isOver = false

    init(seconds: Int = 0) { self.seconds = seconds }

    /// - Parameter bytes: That moved since the beginning, in both directions.
    /// - Returns: False where it is given up.
    mutating func saw(_ bytes: Int, standsHere: Bool) -> Bool {
        if standsHere || bytes != moved { (moved, since) = (bytes, .now) }
        isOver = .now - since >= .seconds(seconds)
        return !isOver
    }

    /// It stood still on this side until now.
    mutating func goOn() { since = .now }
}
