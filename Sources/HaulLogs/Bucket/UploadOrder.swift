/// Which finished files are tried next, and when: what failed goes behind all that did not, and what fails keeps nothing
/// else waiting.
///
/// Files that failed and those that were not tried yet are two lines. While nothing of a line goes up - the bucket may be
/// down - it is left alone for a while, longer each time.
struct UploadOrder {
    enum Line { case fresh, failed }

    /// Seconds after a failure, doubled each time nothing of a line went up.
    static let firstPause = 0.5
    static let longestPause = 30.0
    /// Files that are known to have failed; when there are more, the first of them counts as one that was not tried yet.
    static let most = 4096

    /// Files that failed, who has waited longest first.
    private(set) var failed: [String] = []
    private var known: Set<String> = []
    private var pauses: [Line: Double] = [:]
    private var times: [Line: Double] = [:]

    /// True while nothing of a line goes up.
    func isStuck(_ line: Line) -> Bool { pauses[line] != nil }

    func hasFailed(_ file: String) -> Bool { known.contains(file) }

    /// Whether a line's time has come.
    ///
    /// - Parameter now: in seconds, from any moment on.
    func isDue(_ line: Line, now: Double) -> Bool { times[line].map { $0 <= now } ?? true }

    /// Some of a line were tried.
    ///
    /// - Parameters:
    ///   - done: those that went up, or are gone.
    ///   - failed: those that did not, in the order in which they failed.
    ///   - chance: a number in 0..<1: several servers shall not come back at the same moment.
    mutating func note(_ line: Line, done: [String], failed new: [String], now: Double, chance: Double) {
        let moved = Set(done + new)
        if line == .failed || !known.isDisjoint(with: moved) {
            failed.removeAll(where: moved.contains)
            known.subtract(done)
        }
        failed += new
        known.formUnion(new)
        while failed.count > Self.most { known.remove(failed.removeFirst()) }
        if !done.isEmpty {
            (pauses[line], times[line]) = (nil, nil)
        } else if !new.isEmpty {
            let pause = min(Self.longestPause, pauses[line].map { $0 * 2 } ?? Self.firstPause)
            pauses[line] = pause
            times[line] = now + pause * (0.5 + chance / 2)
        }
    }
}
