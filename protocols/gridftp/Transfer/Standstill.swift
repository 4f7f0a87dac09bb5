/// What two servers have still to answer of what a ``Lane`` sent them, and whether anything moves between them.
///
/// A lane is not ended while files come and go on it: a globus-gridftp-server (13.24) whose client goes in the moment in
/// which a transfer ends by itself says 421 and then stays for good, with its connections and a file open (one in thirty
/// did). One that waits for bytes, for a reader or for nothing ends well, and so does one in the middle of a file.
struct Standstill {
    /// Both have something to do: so long without a word, and it is one long file.
    private static let moving = Duration.seconds(1)
    /// One has nothing to do any more, so that the other waits for what does not come, unless it is at its last words;
    /// and those may say better what is wrong.
    private static let waiting = Duration.milliseconds(700)

    private var source = 0
    private var target = 0
    /// There is nothing before or behind the one job that they have.
    private var isAlone = true
    private var heard: ContinuousClock.Instant

    init(_ now: ContinuousClock.Instant = .now) { heard = now }

    /// Both are given so many jobs.
    mutating func sent(_ jobs: Int, _ now: ContinuousClock.Instant = .now) {
        isAlone = source <= 0 && target <= 0 && jobs == 1
        source += jobs
        target += jobs
        heard = now
    }

    mutating func answered(isStore: Bool, _ now: ContinuousClock.Instant = .now) {
        if isStore { target -= 1 } else { source -= 1 }
        heard = now
    }

    /// How long to wait still, if nobody says anything; nil where nothing moves.
    /// - Parameter knows: Nothing better will be said of what failed.
    func rest(knows: Bool, _ now: ContinuousClock.Instant = .now) -> Duration? {
        if source <= 0, target <= 0 { return nil }
        let isHalfDone = source <= 0 || target <= 0
        if isHalfDone, isAlone, knows { return nil }
        let rest = (isHalfDone ? Self.waiting : Self.moving) - (now - heard)
        return rest > .zero ? rest : nil
    }
}
