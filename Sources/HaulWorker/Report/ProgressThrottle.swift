import HaulProtocol

/// How often an attempt's progress is told: the latest of it, held back until it is due.
struct ProgressThrottle {
    private let pace: Pace
    /// Somebody waits for it.
    var isWatched = false
    /// When something was told last; nil before the first.
    private(set) var told: ContinuousClock.Instant?
    private var held: (progress: TransferProgress, notBefore: ContinuousClock.Instant)?

    init(_ pace: Pace) { self.pace = pace }

    /// When what is held back is to be told; nil where nothing is.
    var due: ContinuousClock.Instant? {
        guard let held else { return nil }
        let least = isWatched ? pace.watchedProgress : pace.progress
        return told.map { max($0 + .seconds(least), held.notBefore) } ?? held.notBefore
    }

    /// Keeps it, in the place of what was held back before.
    mutating func hold(_ progress: TransferProgress, notBefore: ContinuousClock.Instant) {
        held = (progress, notBefore)
    }

    /// What is to be told now; nil where nothing is due.
    mutating func take(at now: ContinuousClock.Instant) -> TransferProgress? {
        guard let progress = held?.progress, let due, due <= now else { return nil }
        held = nil
        told = now
        return progress
    }

    /// Nothing of it is told any more.
    mutating func drop() { held = nil }
}
