/// Goes round all jobs of a kind, by their ids, in pieces; and again as long as it finds something that can be done.
struct Rounds {
    /// The job whose turn was last; 0 before the first one's.
    private(set) var last = 0
    private var didSome = false
    private var rings = 0

    /// Begins a piece.
    ///
    /// - Parameter rings: how often the duty's bell had rung.
    mutating func begin(rings: Int) {
        if last == 0 { (didSome, self.rings) = (false, rings) }
    }

    /// Ends a piece.
    ///
    /// - Parameters:
    ///   - last: the job that it ended with; nil when there are none after it.
    ///   - didSome: whether anything was done.
    ///   - rings: how often the duty's bell has rung by now.
    /// - Returns: true when there is more to do at once.
    mutating func end(last: Int?, didSome: Bool, rings: Int) -> Bool {
        self.last = last ?? 0
        self.didSome = self.didSome || didSome
        // What came up behind its back counts as well.
        return last != nil || self.didSome || self.rings != rings
    }
}
